// Sends a gRPC request over HTTP/2 and prints the answer: the headers, whether they ended the stream, and the trailers.
//   node frames.mjs <port> <authorization>
import { connect, constants } from "node:http2";

const [port, authorization] = process.argv.slice(2);
const client = connect(`http://127.0.0.1:${port}`);
client.on("error", fail);
const stream = client.request({
  ":method": "POST",
  ":path": "/payments.Charges/Create",
  "content-type": "application/grpc",
  te: "trailers",
  ...(authorization ? { authorization } : {}),
});
const answer = { headers: {}, isTrailersOnly: false, trailers: {} };
stream.setTimeout(10_000, () => fail(new Error("no answer")));
stream.on("error", fail);
stream.on("response", (headers, flags) => {
  answer.headers = { ...headers };
  answer.isTrailersOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
});
stream.on("trailers", (trailers) => { answer.trailers = { ...trailers }; });
stream.on("end", () => {
  console.log(JSON.stringify(answer));
  client.close();
});
stream.resume();
// One empty message: no compression, no bytes.
stream.end(Buffer.alloc(5));

function fail(error) {
  console.error(error.message);
  process.exit(1);
}

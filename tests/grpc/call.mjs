// A call with gRPC's own client. Prints the final status.
//   node call.mjs <port> <authorization>
import { Client, Metadata, credentials } from "@grpc/grpc-js";

const [port, authorization] = process.argv.slice(2);
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
const metadata = new Metadata();
if (authorization) metadata.set("authorization", authorization);
const asIs = (bytes) => bytes;
const options = { deadline: Date.now() + 10_000 };
client.makeUnaryRequest("/payments.Charges/Create", asIs, asIs, Buffer.alloc(0), metadata, options, (error) => {
  const { code, details, metadata } = error ?? { code: 0, details: "", metadata: new Metadata() };
  console.log(JSON.stringify({ code, details, challenge: metadata.get("www-authenticate") }));
  client.close();
});

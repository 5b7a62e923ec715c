// A third-party OpenID provider. The first output line is its issuer. Then each input line is a command, and the output
// line is its answer:
//   rotate  signs with a new key and publishes it next to the old one: the new kid
//   count   how often the keys and the discovery document were fetched: two numbers
// It ends when its input ends.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

console.info = console.warn = () => {}; // Its advice is for production.
const { default: Provider } = await import("oidc-provider");

const fetches = { "/jwks": 0, "/.well-known/openid-configuration": 0 };
let keys = [];
let answer;

const server = createServer((request, response) => {
  if (request.url in fetches) fetches[request.url] += 1;
  answer(request, response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const commands = {
  rotate() {
    keys = [newKey(), ...keys.slice(0, 1)];
    answer = provider().callback();
    return keys[0].kid;
  },
  count: () => Object.values(fetches).join(" "),
};

commands.rotate();
console.log(issuer);
for await (const command of createInterface({ input: process.stdin })) {
  console.log(commands[command]());
}
process.exit();

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

// A provider gets its keys when it is created, so each rotation creates a new one.
function provider() {
  return new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: "alice",
        client_secret: "secret",
        token_endpoint_auth_method: "client_secret_post",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, audience) => ({ audience, scope: "", accessTokenFormat: "jwt" }),
      },
    },
  });
}

// Tokens signed by `jose`, a third-party library: JSON lines {"jwk", "header", "claims"} in, one compact JWT for each line out.
import { createInterface } from "node:readline";
import { importJWK, SignJWT } from "jose";

for await (const line of createInterface({ input: process.stdin })) {
  const { jwk, header, claims } = JSON.parse(line);
  const key = await importJWK(jwk, header.alg);
  console.log(await new SignJWT(claims).setProtectedHeader(header).sign(key));
}

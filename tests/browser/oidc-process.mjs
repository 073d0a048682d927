// A real OpenID Provider as a separate process: `node oidc-process.mjs [KEY CERTIFICATE]`. Its first line of output is
// its URL, and its first line of input is the redirect URI of the client.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const [key, cert] = process.argv.slice(2).map((path) => readFileSync(path));
const server = key ? createSecureServer({ key, cert }) : createServer();
server.listen(0, "127.0.0.1", async () => {
  // For a browser, localhost and 127.0.0.1 are different sites, so that the rules for cookies apply.
  const issuer = `${key ? "https" : "http"}://localhost:${server.address().port}`;
  console.log(issuer);
  const { value: redirectUri } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();

  const roles = { peerapp: "auditor", elsewhere: "admin" };
  const provider = new Provider(issuer, {
    clients: [
      { client_id: "logbook", client_secret: "a secret of the browser's test", redirect_uris: [redirectUri] },
      {
        client_id: "job",
        client_secret: "a secret of a nightly job",
        redirect_uris: [],
        response_types: [],
        grant_types: ["client_credentials"],
      },
    ],
    cookies: { keys: ["only for a test"] },
    claims: { openid: ["sub", "logbook_roles"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: "Asha Rao", email: `${id}@clinic.test`, email_verified: true, logbook_roles: roles }),
    }),
    // The claims of a job's token, besides the standard ones.
    extraTokenClaims: () => ({ logbook_roles: { peerapp: "viewer" } }),
    ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, audience) => ({
          scope: "",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  server.on("request", provider.callback());
  console.log("ready");
});

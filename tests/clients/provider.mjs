// An OpenID provider that anybody could run (npm's oidc-provider), for the tests of access tokens: it gives programs that
// have a secret tokens as RFC 9068 has them. It says in its first line where it is, and begins to sign with other keys when
// it is told `rotate`.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const SIGNED_BY = {
    RS256: ["rsa", { modulusLength: 2048 }],
    PS256: ["rsa", { modulusLength: 2048 }],
    ES256: ["ec", { namedCurve: "P-256" }],
    EdDSA: ["ed25519", {}],
};

let round = 0;

function keys() {
    round += 1;
    return Object.entries(SIGNED_BY).map(([alg, [type, options]]) => {
        const { privateKey } = generateKeyPairSync(type, options);
        return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: `${alg}-${round}` };
    });
}

// What a token is for: the last part of its name is how its tokens are signed.
function resource(ctx, indicator) {
    const alg = new URL(indicator).pathname.split("/").pop();
    return {
        audience: indicator,
        scope: "daybook:read daybook:book",
        accessTokenFormat: "jwt",
        accessTokenTTL: 600,
        jwt: { sign: { alg } },
    };
}

function provider(issuer) {
    const configuration = {
        clients: [
            {
                client_id: "front-desk",
                client_secret: "known-to-the-front-desk",
                grant_types: ["client_credentials"],
                redirect_uris: [],
                response_types: [],
            },
        ],
        enabledJWA: { idTokenSigningAlgValues: Object.keys(SIGNED_BY) },
        features: {
            clientCredentials: { enabled: true },
            devInteractions: { enabled: false },
            resourceIndicators: { enabled: true, getResourceServerInfo: resource },
        },
        jwks: { keys: keys() },
        scopes: ["openid", "daybook:read", "daybook:book"],
    };
    return new Provider(issuer, configuration).callback();
}

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1", () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    answer = provider(issuer);
    console.log(JSON.stringify({ issuer }));
    createInterface({ input: process.stdin })
        .on("line", (line) => {
            if (line === "rotate") {
                answer = provider(issuer);
                console.log(JSON.stringify({ rotated: round }));
            }
        })
        // Whoever started it has gone.
        .on("close", () => process.exit(0));
});

//! What each reason means and how to fix it. Text for `docs/reasons.md`; the module does not carry it.

use claimgate::reason::{Reason, Registered};

/// When a request is denied for this reason.
pub(super) const fn when(reason: Reason) -> &'static str {
    match reason {
        Reason::PathAmbiguous => "Which rules apply depends on how the path is read",
        Reason::TokenMissing => {
            "A `REQUIRED` rule applies, and the request has no valid token for it; or a policy denies a request without a \
             token, and a token could change that"
        }
        Reason::TokenTooLarge => "The token is longer than `maxTokenBytes`",
        Reason::TokenMalformed => "The token is not three non-empty parts separated by dots",
        Reason::HeaderEncoding => "The header is not strict base64url without padding",
        Reason::HeaderJson => "The header is not a JSON object, or it has a duplicate name, or it nests too deep",
        Reason::AlgMissing => "The header has no `alg`, or one that is not a string",
        Reason::AlgNone => "The token is not signed: `alg` is `none`, in upper or lower case",
        Reason::AlgUnsupported => "claimgate does not support this `alg`",
        Reason::KidMalformed => "`kid` is not a string",
        Reason::TypMalformed => "`typ` is not a string",
        Reason::CritUnsupported => {
            "The header has `crit`, or a `b64` that is not `true`: critical extensions that claimgate does not support"
        }
        Reason::PayloadEncoding => "The payload is not strict base64url without padding",
        Reason::PayloadJson => "The payload is not a JSON object, or it has a duplicate name, or it nests too deep",
        Reason::SignatureEncoding => "The signature is not strict base64url without padding",
        Reason::IssuerUnknown => "No rule that applies and reads this location names the token's issuer",
        Reason::AlgNotAllowed => "The rule does not list the token's `alg`",
        Reason::KeyUnknown => "No key of the rule matches the token's `kid` and `alg`",
        Reason::SignatureInvalid => "No matching key verifies the signature",
        Reason::ClaimMalformed(claim) => match claim {
            Registered::Iss => "`iss` is not a string",
            Registered::Sub => "`sub` is not a string",
            Registered::Jti => "`jti` is not a string",
            Registered::Aud => "`aud` is not a string or a list of strings",
            Registered::Exp => "`exp` is not a number",
            Registered::Nbf => "`nbf` is not a number",
            Registered::Iat => "`iat` is not a number",
        },
        Reason::DateOutOfRange(claim) => match claim {
            Registered::Nbf => "`nbf` is negative or too large",
            Registered::Iat => "`iat` is negative or too large",
            _ => "`exp` is negative or too large",
        },
        Reason::TypeNotAllowed => "`typ` names a kind of token that the rule does not accept",
        Reason::TokenNotYetValid => "`nbf` is in the future",
        Reason::TokenExpired => "`exp` is in the past",
        Reason::ExpirationMissing => "The token has no `exp`, and `requireExpiration` or `maxLifetime` requires one",
        Reason::AudienceNotAllowed => "`aud` contains none of the rule's audiences",
        Reason::SubjectNotAllowed => "`sub` matches none of the rule's subjects",
        Reason::LifetimeTooLong => "The token is valid for longer than `maxLifetime`",
        Reason::KeysUnavailable => "The keys for the token were not available in time",
        Reason::TooManyWaiting => "`maxWaitingRequests` requests already wait for keys",
        Reason::PolicyNotAllowed => "There are ALLOW policies, and none of their rules matches",
        Reason::PolicyDenied => "A rule of a DENY policy matches",
    }
}

/// What to check, and what to do.
pub(super) const fn fix(reason: Reason) -> &'static str {
    match reason {
        Reason::PathAmbiguous => {
            "\
The path contains `%2f`, `//`, `/../`, `\\` or `;`. Servers read such a path in different ways, and different rules would apply.

- Client: send a plain path, without dot segments and double slashes.
- Operator: if such paths are normal for your service, write `match` so that every reading leads to the same rules. Or let Envoy
  normalize paths (`normalize_path`, `merge_slashes`, `path_with_escaped_slashes_action`)."
        }
        Reason::TokenMissing => {
            "\
The request has no token at the locations that the rules read. A token at another location, or with a scheme other than `Bearer`,
does not count.

- Client: send `Authorization: Bearer <token>`. `curl` drops the header when it follows a redirect to another host. Browsers do
  not send it on a preflight.
- Operator: compare the request with `fromHeaders`, `fromParams` and `fromCookies`. If a rule lists one of them, it does not read
  the default locations. Check whether an earlier filter removes the header. If several `REQUIRED` rules apply, each one needs its
  own token. If a policy denied the request, `claimgate explain` prints which rule lacks `from` or a claim."
        }
        Reason::TokenTooLarge => {
            "\
- Client: ask for fewer scopes. Issuers that list groups in the token can often filter them, or send a reference instead.
- Operator: raise `maxTokenBytes`. Envoy's own limit for all headers is 60 KiB."
        }
        Reason::TokenMalformed => {
            "\
The value is not a signed JWT. Common causes: an opaque access token, an encrypted token with five parts, an API key, an empty
shell variable, `Bearer Bearer …`, or quotes and line breaks around the token.

- Client: print the token; it must have two dots. Ask the issuer for a JWT; many issuers send one only if the request names an
  audience.
- Operator: if another kind of credential uses the same header, read the token from another location (`fromHeaders`), or exempt
  those requests with `match`."
        }
        Reason::HeaderEncoding | Reason::PayloadEncoding | Reason::SignatureEncoding => {
            "\
The part contains `=`, `+`, `/`, a space or another character outside base64url, or its last bits are not zero. The token was cut,
wrapped or encoded twice on its way, or the tool that made it writes plain base64.

- Client: compare the token with what the issuer sent, up to the last character. In a query it must be percent-encoded.
- Issuer: use base64url without padding (RFC 7515 section 2)."
        }
        Reason::HeaderJson | Reason::PayloadJson => {
            "\
The part decodes, but not to one JSON object in UTF-8 with unique names and at most 100 levels.

- Client: the token was edited, cut or encrypted. Get a new one.
- Issuer: write every claim once. Servers disagree about which of two equal names counts."
        }
        Reason::AlgMissing => {
            "\
- Issuer: write `alg` into the header (RFC 7515 section 4.1.1). No setting helps: claimgate does not guess the algorithm."
        }
        Reason::AlgNone => {
            "\
An unsigned token proves nothing. No setting turns this check off.

- Client: if a test or a mock makes the token, sign it. `jwks` can hold your own test key."
        }
        Reason::AlgUnsupported => {
            "\
- Issuer: sign with one of the algorithms in [configuration.md](configuration.md#what-a-token-must-claim), such as `ES256` or
  `RS256`. `ES256K` and encryption algorithms are not supported."
        }
        Reason::KidMalformed => "- Issuer: write `kid` as a string, `\"1\"` and not `1`.",
        Reason::TypMalformed => "- Issuer: write `typ` as a string, such as `\"JWT\"` or `\"at+jwt\"`, or leave it out.",
        Reason::CritUnsupported => {
            "\
The token requires its recipient to understand an extension, and claimgate does not support it.

- Issuer: leave out `crit` and `b64` in tokens for this service."
        }
        Reason::IssuerUnknown => {
            "\
`iss` is compared byte for byte. A trailing slash, `http` instead of `https`, or another realm or tenant is another issuer. A token
without `iss` has no issuer.

- Client: print `iss`. Usually the token is from another environment, or it is an ID token of another provider.
- Operator: copy `iss` from a token into `issuer`. Microsoft's v1 and v2 tokens have different issuers. Keycloak's issuer follows
  the host name of the request to it. If the rule has a `match`, check that it applies to the request."
        }
        Reason::AlgNotAllowed => {
            "\
- Operator: add the token's `alg` to `algorithms`, or remove `algorithms` to accept every asymmetric algorithm. `HS256`, `HS384` and
  `HS512` must be listed.
- Client: configure the issuer to sign tokens for this service with an accepted algorithm."
        }
        Reason::KeyUnknown => {
            "\
The issuer signed with a key that is not in the rule's key set. Either the issuer rotated its keys, or the token is from another
environment, or claimgate skipped the key when it read the set.

- Operator: compare the token's `kid` with the issuer's published key set, and that set with `jwks`. `claimgate check` prints which
  keys are skipped and why: another `use`, a weak key, or an `alg` that differs from the token's.
- Client: get a new token. A token that was cached before a key rotation no longer works."
        }
        Reason::SignatureInvalid => {
            "\
A key with the token's `kid` exists, but it did not sign these bytes. Either the token was changed, or two environments use the
same `kid` for different keys.

- Client: send the token exactly as the issuer sent it. Tokens with a `nonce` in the header, such as those for Microsoft Graph, can
  only be verified by that service.
- Operator: fetch `jwks` from the issuer again, and compare the key with that `kid`."
        }
        Reason::ClaimMalformed(_) | Reason::DateOutOfRange(_) => {
            "\
The message names the claim. Its value does not have the form that RFC 7519 section 4.1 requires. claimgate does not treat a
malformed claim as absent.

- Issuer: write dates as numbers, in seconds since 1970: not in quotes, not in milliseconds, not as text. Write `iss`, `sub` and
  `jti` as strings, even if an ID is a number. Write `aud` as a string or a list of strings."
        }
        Reason::TypeNotAllowed => {
            "\
The client sent a logout token, a DPoP proof or a credential instead of an access token. Or the rule sets `types`, and the token's
type is not in the list.

- Client: send the access token, not the ID token or another kind.
- Operator: add the token's `typ` to `types`. If `types` is set, a token without `typ` is not accepted."
        }
        Reason::TokenNotYetValid => {
            "\
The clocks of issuer and proxy differ by more than `clockSkew`, or the token is for later use.

- Operator: compare `date -u` on the proxy with `nbf`. Fix the clock instead of raising `clockSkew`."
        }
        Reason::TokenExpired => {
            "\
`exp` plus `clockSkew` has passed.

- Client: get a new token before the old one expires, and again when you get this answer. If one client of many fails, it has
  usually cached its token or cannot reach the issuer. Check its log.
- Operator: `date -u -d @<exp>` prints when the token expired. If every token is expired, the proxy's clock is wrong, or a
  credential is not renewed."
        }
        Reason::ExpirationMissing => {
            "\
- Issuer: give tokens an `exp`. A token without one is valid forever, even after it was stolen.
- Operator: if the issuer cannot do that, set `requireExpiration: false` and leave out `maxLifetime`. Istio and Envoy accept such
  tokens."
        }
        Reason::AudienceNotAllowed => {
            "\
The token is valid, but for another service. The comparison ignores `http://`, `https://` and one trailing slash. Everything else
counts, including case.

- Client: ask the issuer for a token for this service, with `audience` or `resource` in the token request, or with one of its
  scopes. A token for the issuer's own API or for Microsoft Graph does not work here.
- Operator: copy `aud` from a token into `audiences`. It can be a client ID instead of a URL."
        }
        Reason::SubjectNotAllowed => {
            "\
- Operator: compare `sub` with `subjects`. One pattern must match: `abc*`, `*abc`, or an exact value. A token without `sub` matches
  no pattern. To control who may do what, prefer `authorizationPolicies`, which answer 403.
- Client: log in as a user that is accepted."
        }
        Reason::LifetimeTooLong => {
            "\
`exp` is further away than `maxLifetime` plus `clockSkew`.

- Issuer: issue tokens with a shorter lifetime for this service.
- Operator: raise `maxLifetime`, or remove it for no limit."
        }
        Reason::KeysUnavailable => {
            "\
claimgate cannot tell whether the token is valid. Either the issuer's key set could not be fetched, or the token may name a key
that is newer than the set.

- Client: keep the token, and try again after `Retry-After`.
- Operator: the log says why the fetch failed, `keys of <rule>: <class>: …`, and so does the metric `claimgate_key_fetches`. `docs/keys.md`
  says what to do about each class. `cluster_not_found` names the missing cluster."
        }
        Reason::TooManyWaiting => {
            "\
The issuer's keys are being fetched, and the maximum number of requests already waits for them.

- Client: keep the token, and try again after `Retry-After`.
- Operator: find out why the issuer is slow, as for `keys_unavailable`. A higher `maxWaitingRequests` only helps with short waits."
        }
        Reason::PolicyNotAllowed => {
            "\
The token is valid, or none was needed, but no ALLOW rule matches the request.

- Client: if the challenge has a `scope`, it names the scopes that would be enough.
- Operator: `claimgate explain` prints every rule that can match this host and path, and what it lacks: `from`, `to` or a condition
  of `when`. Common causes: a policy without `rules`, which allows nothing; a path without its wildcard; `spiffe://` in front of a
  principal; a numeric claim in style `istio`; a namespace without mutual TLS, because only a peer certificate names one."
        }
        Reason::PolicyDenied => {
            "\
The ID after the code names the rule: `ns[<namespace>]-policy[<name>]-rule[<index or name>]`.

- Operator: `claimgate explain` prints it too. Common causes: `notValues` and `notPrincipals`, which also match a missing value, and
  a path that servers read in several ways, one of which is denied. Use `dryRun: true` to see what a policy would deny before it
  takes effect."
        }
    }
}

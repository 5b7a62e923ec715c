//! What each reason means and how to mend it, in words for a page. Only here, for the module has no use for them.

use claimgate::reason::{Reason, Registered};

/// When a request is refused so.
pub(super) const fn when(reason: Reason) -> &'static str {
    match reason {
        Reason::PathAmbiguous => "Which rules apply depends on how the path is read",
        Reason::TokenMissing => {
            "A `REQUIRED` rule applies, and no token on the request is good for it; or a policy refuses a request without a \
             token, and one could help"
        }
        Reason::TokenTooLarge => "The token is longer than `maxTokenBytes`",
        Reason::TokenMalformed => "The token is not three non-empty parts with dots between",
        Reason::HeaderEncoding => "The header is not strict base64url without padding",
        Reason::HeaderJson => "The header is not a JSON object, or a name in it occurs twice, or it nests too deep",
        Reason::AlgMissing => "The header has no `alg`, or one that is not a string",
        Reason::AlgNone => "The token is not signed, and `alg` is `none` in any case",
        Reason::AlgUnsupported => "claimgate does not verify this `alg`",
        Reason::KidMalformed => "`kid` is not a string",
        Reason::TypMalformed => "`typ` is not a string",
        Reason::CritUnsupported => {
            "The header has `crit`, or a `b64` that is not `true`: extensions that must be understood and are not"
        }
        Reason::PayloadEncoding => "The payload is not strict base64url without padding",
        Reason::PayloadJson => "The payload is not a JSON object, or a name in it occurs twice, or it nests too deep",
        Reason::SignatureEncoding => "The signature is not strict base64url without padding",
        Reason::IssuerUnknown => "No rule that applies and reads this place names the token's issuer",
        Reason::AlgNotAllowed => "The rule does not list the token's `alg`",
        Reason::KeyUnknown => "No key of the rule fits the token's `kid` and `alg`",
        Reason::SignatureInvalid => "No fitting key verifies the signature",
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
            Registered::Nbf => "`nbf` is negative, or beyond all time",
            Registered::Iat => "`iat` is negative, or beyond all time",
            _ => "`exp` is negative, or beyond all time",
        },
        Reason::TypeNotAllowed => "`typ` is another kind of token",
        Reason::TokenNotYetValid => "`nbf` lies in the future",
        Reason::TokenExpired => "`exp` lies in the past",
        Reason::ExpirationMissing => "The token has no `exp`, and `requireExpiration` or `maxLifetime` asks for it",
        Reason::AudienceNotAllowed => "None of the rule's audiences is in `aud`",
        Reason::SubjectNotAllowed => "`sub` matches none of the rule's subjects",
        Reason::LifetimeTooLong => "The token is valid for longer than `maxLifetime`",
        Reason::KeysUnavailable => "The keys that may prove the token could not be had in time",
        Reason::TooManyWaiting => "`maxWaitingRequests` requests wait for keys already",
        Reason::PolicyNotAllowed => "There are ALLOW policies, and no rule of them matches",
        Reason::PolicyDenied => "A rule of a DENY policy matches",
    }
}

/// What to look at, and what to do.
pub(super) const fn mend(reason: Reason) -> &'static str {
    match reason {
        Reason::PathAmbiguous => {
            "\
The path has a `%2f`, `//`, `/../`, `\\` or `;` in it, and servers that read it differently would apply different rules.

- Client: send the path as it is meant, without dots and doubled slashes.
- Operator: if such paths are normal here, write `match` so that every reading leads to the same rules, or let Envoy normalise
  paths (`normalize_path`, `merge_slashes`, `path_with_escaped_slashes_action`)."
        }
        Reason::TokenMissing => {
            "\
No token was found at the places the rules read. A token at another place, or with another scheme than `Bearer`, does not count.

- Client: send `Authorization: Bearer <token>`. A `curl` that follows a redirect to another host leaves the header behind, and a
  browser puts none on a preflight.
- Operator: compare the request with `fromHeaders`, `fromParams` and `fromCookies`; if a rule lists one of them, the default
  places are not read. Something before this filter may take the header out. With several `REQUIRED` rules each needs a token
  of its own. If a policy asked, `claimgate explain` prints which rule lacks `from` or a claim."
        }
        Reason::TokenTooLarge => {
            "\
- Client: ask for fewer scopes; issuers that list groups in the token offer a reference or a filter for them.
- Operator: raise `maxTokenBytes`. Envoy's own limit for all headers is 60 KiB."
        }
        Reason::TokenMalformed => {
            "\
What was sent is not a signed JWT. Usual are an opaque access token, an encrypted token of five parts, an API key, a shell
variable that is empty, `Bearer Bearer …`, or quotes and line breaks around the token.

- Client: print the token; it has two dots. Ask the issuer for a JWT, often by naming an audience.
- Operator: if another kind of credential shares the header, read the token elsewhere (`fromHeaders`) or exempt those requests
  with `match`."
        }
        Reason::HeaderEncoding | Reason::PayloadEncoding | Reason::SignatureEncoding => {
            "\
The part has `=`, `+`, `/`, a blank or a stray letter in it, or bits that no encoder writes. The token was cut, wrapped or encoded
again on its way, or is made by a tool that writes plain base64.

- Client: compare the token with what the issuer gave out, to the last character. In a query it must be percent-encoded.
- Issuer: encode as RFC 7515 section 2 has it: base64url without padding."
        }
        Reason::HeaderJson | Reason::PayloadJson => {
            "\
The part decodes, but not to one JSON object in UTF-8 with every name once and at most 100 levels.

- Client: this is a token that was edited, cut or encrypted; fetch a fresh one.
- Issuer: write every claim once. Two with one name would be read differently by different servers."
        }
        Reason::AlgMissing => {
            "\
- Issuer: write `alg` into the header, as RFC 7515 section 4.1.1 demands. There is nothing to do here: claimgate does not guess."
        }
        Reason::AlgNone => {
            "\
An unsigned token proves nothing, whatever it says. Nothing switches this off.

- Client: if it comes from a test or a mock, sign it; `jwks` may hold a key of your own."
        }
        Reason::AlgUnsupported => {
            "\
- Issuer: sign with one of the algorithms in [configuration.md](configuration.md#what-a-token-must-promise), such as `ES256` or
  `RS256`. `ES256K` and encryption are not among them."
        }
        Reason::KidMalformed => "- Issuer: write `kid` as a string, `\"1\"` and not `1`.",
        Reason::TypMalformed => "- Issuer: write `typ` as a string, such as `\"JWT\"` or `\"at+jwt\"`, or leave it out.",
        Reason::CritUnsupported => {
            "\
The token says that it must not be accepted by who does not understand an extension of it, and claimgate does not.

- Issuer: leave out `crit` and `b64` in tokens for this service."
        }
        Reason::IssuerUnknown => {
            "\
`iss` is compared byte for byte: a slash at the end, `http` for `https`, another realm or tenant makes another issuer. A token
without `iss` is of no issuer.

- Client: print `iss`. A token of the wrong environment, or an ID token of another provider, is what it mostly is.
- Operator: copy `iss` from a token into `issuer`. Microsoft's v1 tokens have another issuer than v2, and Keycloak's follows the
  name under which it was called. If the rule has a `match`, see that it applies to the request."
        }
        Reason::AlgNotAllowed => {
            "\
- Operator: add the token's `alg` to `algorithms`, or leave `algorithms` out for every asymmetric one. `HS256` and its like must
  be listed.
- Client: have the issuer sign for this service as it expects."
        }
        Reason::KeyUnknown => {
            "\
The issuer signed with a key that is not in the rule's `jwks`: it rotated its keys, the token is of another environment, or the
key was skipped when the configuration was read.

- Operator: compare the token's `kid` with those in the issuer's published set, and that set with `jwks`. `claimgate check` says
  which keys are skipped, and why: another `use`, a weak key, an `alg` that is not the token's.
- Client: fetch a fresh token. One that was cached since before a rotation is of no use any more."
        }
        Reason::SignatureInvalid => {
            "\
There is a key with the token's `kid`, and it did not sign these bytes. The token was changed, or two environments use one `kid`
for different keys.

- Client: send the token as the issuer gave it out. Tokens with a `nonce` in the header, as Microsoft Graph's, are for one
  service only and verify nowhere else.
- Operator: fetch `jwks` from the issuer again, and compare the key of that `kid`."
        }
        Reason::ClaimMalformed(_) | Reason::DateOutOfRange(_) => {
            "\
The sentence names the claim. It is there and not what RFC 7519 section 4.1 says, and a claim of the wrong form is not taken for
absent.

- Issuer: write dates as seconds since 1970 in numbers, not in quotes, not in milliseconds, not as text; `iss`, `sub` and `jti` as
  strings, also where an id is a number; `aud` as a string or a list of strings."
        }
        Reason::TypeNotAllowed => {
            "\
A logout token, a DPoP proof or a credential was sent where an access token belongs, or the rule lists `types` and the token's is
none of them.

- Client: send the access token, not the ID token or another one.
- Operator: add the token's `typ` to `types`. If `types` is written, a token without `typ` is refused."
        }
        Reason::TokenNotYetValid => {
            "\
The clocks of issuer and proxy disagree by more than `clockSkew`, or the token was made for later.

- Operator: compare `date -u` on the proxy with `nbf`; mend the clock rather than raising `clockSkew`."
        }
        Reason::TokenExpired => {
            "\
`exp` plus `clockSkew` has passed.

- Client: fetch a new token before the old one ends, and once more on this answer. One agent among many that fails has usually
  cached its token, or cannot reach the issuer: see its own log.
- Operator: `date -u -d @<exp>` says when it ended. If every token is expired, the proxy's clock is wrong, or a credential that
  should be renewed is not."
        }
        Reason::ExpirationMissing => {
            "\
- Issuer: give tokens an `exp`; one without is good for ever, also in the wrong hands.
- Operator: where that can't be had, `requireExpiration: false`, without `maxLifetime`. Istio and Envoy accept such tokens."
        }
        Reason::AudienceNotAllowed => {
            "\
The token is good, for another service. `http://`, `https://` and one slash at the end are no difference; everything else is,
case too.

- Client: ask the issuer for a token for this service: `audience` or `resource` in the token request, or a scope of it. A token
  for the issuer's own API, such as `record` or Microsoft Graph, is none for this one.
- Operator: copy `aud` from a token into `audiences`. It may be a client's id and not a URL."
        }
        Reason::SubjectNotAllowed => {
            "\
- Operator: compare `sub` with `subjects`, patterns of which one must match: `abc*`, `*abc`, or exactly. A token without `sub`
  matches none. Who may do what is better said in `authorizationPolicies`, which answer 403.
- Client: log in as somebody who may."
        }
        Reason::LifetimeTooLong => {
            "\
`exp` is further away than `maxLifetime` plus `clockSkew`.

- Issuer: give out tokens for this service that live shorter.
- Operator: raise `maxLifetime`, or leave it out for no bound."
        }
        Reason::KeysUnavailable => {
            "\
Nobody knows whether the token is good: its issuer's key set could not be fetched, or it may name a key that is newer than the
set there is.

- Client: keep the token, and try again after `Retry-After`.
- Operator: the log says why the fetch failed, `keys of <rule>: <class>: …`, and so does the metric `key_fetches`. `docs/keys.md`
  has what to do about each class. `cluster_not_found` names the cluster that is missing."
        }
        Reason::TooManyWaiting => {
            "\
The issuer's keys are on their way, and as many requests wait for them as may.

- Client: keep the token, and try again after `Retry-After`.
- Operator: see why the issuer is slow, as for `keys_unavailable`. More room (`maxWaitingRequests`) only helps against short
  waits."
        }
        Reason::PolicyNotAllowed => {
            "\
The token is good, or none was needed, and no ALLOW rule fits the request.

- Client: `scope` in the challenge says which scopes would have been enough, if that is known.
- Operator: `claimgate explain` names every rule that host and path do not rule out, and what it lacked: `from`, `to` or a
  condition of `when`. Usual are a policy without `rules`, which allows nothing; a path without the wildcard; `spiffe://` in front of a
  principal; a claim that is a number in style `istio`; a namespace that is no peer's, for want of mutual TLS."
        }
        Reason::PolicyDenied => {
            "\
The id behind the code names the rule: `ns[<namespace>]-policy[<name>]-rule[<index or name>]`.

- Operator: `claimgate explain` prints it too. Usual are `notValues` and `notPrincipals`, which also match what is absent, and a
  path that servers read in several ways, of which one is closed. `dryRun: true` shows what a policy would deny before it does."
        }
    }
}

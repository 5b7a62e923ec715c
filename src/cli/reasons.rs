//! `claimgate reasons`: the page about every reason for a denial, `docs/reasons.md`.

use claimgate::reason::Reason;

use super::{
    Outcome,
    guide::{mend, when},
};

const OPENING: &str = "\
# Reasons

Why a request is refused, and what to do about it. This page is made of the code: `claimgate reasons > docs/reasons.md`.

A reason has a code that never changes its meaning. It is

- in the response-code details, `claimgate_denied{token_expired}`, which an access log prints with
  `%RESPONSE_CODE_DETAILS%`; where one rule of a policy denied, its id follows: `claimgate_denied{policy_denied}:<id>`;
- in the body, `token_expired: the token has expired`, or the member `reason` of `application/problem+json`, or the message of
  a gRPC status. Style `istio` has Envoy's words there, and `errors.details: none` those of the status;
- in the log, one line for each denial: `denied: reason=token_expired provider=… iss=… sub=… exp=…`; at debug also what each rule
  of a policy lacked;
- in the metric, `claimgate_decisions{outcome=\"denied\",provider=\"…\",reason=\"token_expired\"}`, see `docs/metrics.md`;
- in the filter state, `%FILTER_STATE(wasm.claimgate.reason:PLAIN)%`, for access logs and other filters;
- in the trace that `debug` brings in a response header;
- in what `claimgate explain FILE --path /orders -H 'authorization: Bearer …'` prints, which decides with the same code.

`errors.details: full` tells the client also what would have been accepted.

A token is two JSON objects and a signature, in base64url. This prints the claims, and with `-f1` the header:

```sh
cut -d. -f2 <<<\"$TOKEN\" | tr -- -_ +/ | base64 -d 2>/dev/null
```

## All of them

In the order of the checks: a token is refused for the first that it fails. The signature comes before the claims, so a forged
token learns nothing about them. Where several rules judged a token, the reason furthest down is told.

";

const CLOSING: &str = "
In style `istio` a policy never answers `token_missing`. If the module fails or has no configuration, Envoy itself answers with
503.

gRPC clients get status 16 (`UNAUTHENTICATED`) for 401, 7 (`PERMISSION_DENIED`) for 403, 14 (`UNAVAILABLE`) for 503 and 3
(`INVALID_ARGUMENT`) for 400.
";

pub(super) fn run() -> Outcome {
    print!("{OPENING}");
    println!("| Code | Status | When | Style `istio` |\n|---|---|---|---|");
    for reason in Reason::ALL {
        let (status, body) = reason.envoy();
        println!("| `{}` | {} | {} | {status} `{body}` |", reason.code(), reason.status(), when(reason));
    }
    print!("{CLOSING}");
    let mut said = "";
    for reason in Reason::ALL {
        if reason.code() != said {
            said = reason.code();
            let (status, (istio, _)) = (reason.status(), reason.envoy());
            println!(
                "\n## {said}\n\n{status}, in style `istio` {istio}. See `claimgate_denied{{{said}}}`, `{said}: {reason}`.\n"
            );
            println!("{}", mend(reason));
        }
    }
    Outcome::Good
}

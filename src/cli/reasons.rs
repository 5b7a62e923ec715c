//! `claimgate reasons`: the page about every reason for a denial, `docs/reasons.md`.

use claimgate::reason::Reason;

use super::{
    Outcome,
    guide::{fix, when},
};

const OPENING: &str = "\
# Reasons

Why a request is denied, and what to do about it. This page is generated: `claimgate reasons > docs/reasons.md`.

Every denial has a reason. The code of a reason never changes its meaning. You find it in

- the response-code details, `claimgate_denied{token_expired}`, which an access log prints with `%RESPONSE_CODE_DETAILS%`. If a
  single rule of a policy denied the request, its ID follows: `claimgate_denied{policy_denied}:<id>`;
- the body: `token_expired: the token has expired`, or the member `reason` of `application/problem+json`, or the message of a gRPC
  status. Style `istio` sends Envoy's text instead, and `errors.details: none` sends the text of the status;
- the log, one line for each denial: `denied: reason=token_expired provider=… iss=… sub=… exp=…`. At level debug the log also says
  what each rule of a policy lacks;
- the metric `claimgate_decisions{outcome=\"denied\",provider=\"…\",reason=\"token_expired\"}`, see `docs/metrics.md`;
- the filter state, `%FILTER_STATE(wasm.claimgate.reason:PLAIN)%`, for access logs and other filters;
- the trace in a response header that `debug` turns on;
- the output of `claimgate explain FILE --path /orders -H 'authorization: Bearer …'`, which decides with the same code.

With `errors.details: full` the client also learns what would have been accepted.

A token is two JSON objects and a signature, in base64url. This command prints the claims; with `-f1` it prints the header:

```sh
cut -d. -f2 <<<\"$TOKEN\" | tr -- -_ +/ | base64 -d 2>/dev/null
```

## All reasons

In the order of the checks. The first check that fails gives the reason. The signature is checked before the claims, so the sender
of a forged token learns nothing about them. If several rules check a token, the reason furthest down this table is reported.

";

const CLOSING: &str = "
In style `istio` a policy never answers `token_missing`. If the module fails or has no configuration, Envoy itself answers with 503.

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
    let mut printed = "";
    for reason in Reason::ALL {
        if reason.code() != printed {
            printed = reason.code();
            let (status, (istio, _)) = (reason.status(), reason.envoy());
            println!(
                "\n## {printed}\n\n{status}, in style `istio` {istio}. Details: `claimgate_denied{{{printed}}}`. Body: `{printed}: {reason}`.\n"
            );
            println!("{}", fix(reason));
        }
    }
    Outcome::Good
}

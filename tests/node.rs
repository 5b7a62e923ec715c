//! Every case of the corpus through the core, compiled to wasm and run by V8.
#![cfg(target_arch = "wasm32")]

use claimgate_testing::{case, core};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen_test]
fn corpus() {
    let mut failures = Vec::new();
    let mut count = 0;
    for file in case::corpus() {
        let mut gate = core::gate(&file);
        for case in file.cases.iter().filter(|case| case.runs_in("node")) {
            count += 1;
            if let Err(difference) = core::check(&mut gate, case) {
                failures.push(format!("{}: {}: {difference}", file.name, case.name));
            }
        }
    }
    console_log!("{count} cases");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

//! Every case of the corpus through the core.

#[cfg(not(target_arch = "wasm32"))]
mod support;

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    use libtest_mimic::{Arguments, Trial};

    let mut trials = Vec::new();
    for file in support::case::corpus() {
        let file = std::sync::Arc::new(file);
        let together = file.clone();
        // What is remembered of one case must not change what becomes of the next.
        trials.push(Trial::test(format!("{}: all in one gate, twice", file.name), move || {
            let mut gate = support::core::gate(&together);
            let cases = together.cases.iter().filter(|case| case.runs_in("core"));
            for case in cases.clone().chain(cases) {
                let outcome = support::core::decide(&mut gate, case).against(&case.expect);
                outcome.map_err(|difference| format!("{}: {difference}", case.name))?;
            }
            Ok(())
        }));
        for case in file.cases.iter().filter(|case| case.runs_in("core")) {
            let (file, case) = (file.clone(), case.clone());
            trials.push(Trial::test(format!("{}: {}", file.name, case.name), move || {
                let outcome = support::core::decide(&mut support::core::gate(&file), &case);
                Ok(outcome.against(&case.expect)?)
            }));
        }
    }
    trials.push(Trial::test("every reason has a case", || {
        let corpus = support::case::corpus();
        let shown: Vec<_> =
            corpus.iter().flat_map(|file| &file.cases).filter_map(|case| case.expect.reason.as_deref()).collect();
        let missing: Vec<_> = claimgate::decision::Denial::ALL
            .map(|denial| denial.code())
            .into_iter()
            .filter(|code| !shown.contains(code))
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("no case is refused for {missing:?}").into()) }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

#[cfg(target_arch = "wasm32")]
fn main() {}

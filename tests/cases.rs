//! Every case of the corpus through the core.

use std::{collections::BTreeSet, sync::Arc};

use claimgate::reason::Reason;
use claimgate_testing::{
    case::{CaseFile, corpus},
    core,
};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let mut trials = Vec::new();
    for file in corpus() {
        let file = Arc::new(file);
        let together = file.clone();
        // A token cached by one case must not change the outcome of the next.
        trials.push(Trial::test(format!("{}: all in one gate, twice", file.name), move || {
            let mut gate = core::gate(&together);
            let cases = together.cases.iter().filter(|case| case.runs_in("core"));
            for case in cases.clone().chain(cases) {
                let checked = core::check(&mut gate, case);
                checked.map_err(|difference| format!("{}: {difference}", case.name))?;
            }
            Ok(())
        }));
        for case in file.cases.iter().filter(|case| case.runs_in("core")) {
            let (file, case) = (file.clone(), case.clone());
            trials.push(Trial::test(format!("{}: {}", file.name, case.name), move || {
                Ok(core::check(&mut core::gate(&file), &case)?)
            }));
        }
    }
    trials.push(Trial::test("every reason has a case that says all of it, in both styles", || {
        let lacks = lacks(&corpus());
        if lacks.is_empty() { Ok(()) } else { Err(lacks.join("\n").into()) }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The reasons without a single case that checks everything.
fn lacks(corpus: &[CaseFile]) -> Vec<String> {
    let codes: BTreeSet<_> = Reason::ALL.map(Reason::code).into();
    let mut lacks = Vec::new();
    for style in ["rfc6750", "istio"] {
        for code in &codes {
            let files = corpus.iter().filter(|file| file.style() == style);
            let cases = files.flat_map(|file| &file.cases).filter(|case| case.expect.reason.as_deref() == Some(code));
            match cases.map(|case| case.expect.unsaid()).min_by_key(Vec::len) {
                Some(unsaid) if unsaid.is_empty() => (),
                Some(unsaid) => lacks.push(format!("{code} in style {style}: no case has {} too", unsaid.join(", "))),
                None => lacks.push(format!("{code} in style {style}: no case")),
            }
        }
    }
    lacks
}

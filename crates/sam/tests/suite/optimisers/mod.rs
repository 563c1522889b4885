//! Each optimiser of Burn under SAM: by hand from plain numbers, and with a radius of zero.
//!
//! burn-optim 0.22.1 has eleven. A table in the crate's README says what SAM means over each.

mod by_hand;
mod each;
mod lbfgs;
mod muon;

const TESTS: [&str; 11] = [
    "adagrad",
    "adam",
    "adamw",
    "adafactor",
    "adan",
    "lamb",
    "lbfgs",
    "lion",
    "muon",
    "rms_prop",
    "sgd",
];

#[test]
fn readme_names_the_test_of_each_of_the_eleven_optimisers() {
    let readme = include_str!("../../../README.md");
    let sources = [
        include_str!("each.rs"),
        include_str!("lbfgs.rs"),
        include_str!("muon.rs"),
    ];
    for name in TESTS {
        let test = format!("sam_over_{name}_is_what_its_equations_say");
        let is_there = |text: &str| text.contains(&format!("fn {test}()"));
        assert!(sources.into_iter().any(is_there), "no test {test}");
        assert!(readme.contains(&format!("`{test}`")), "no row for {test}");
    }
    let rows = readme.matches("`sam_over_").count();
    assert_eq!(rows, TESTS.len());
}

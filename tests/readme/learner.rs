//! The programs for burn-train: their difference, their lines in the README of probes, and a run of
//! each.

use anyhow::{Result, anyhow};

use crate::IN_A_FOLDER;

const BEFORE: &str = include_str!("learner_before.rs");
const AFTER: &str = include_str!("learner_after.rs");

const MARKS: [&str; 3] = ["// SAM", "// probes", "// before"];

#[test]
fn learner_programs_differ_in_the_marked_lines_only() {
    let is_marked = |line: &&str| MARKS.iter().any(|mark| line.ends_with(mark));
    // The first line names the program.
    let unmarked = |text: &'static str| text.lines().skip(1).filter(move |line| !is_marked(line));
    assert!(unmarked(BEFORE).eq(unmarked(AFTER)));
    let count = |mark: &str| {
        let all = BEFORE.lines().chain(AFTER.lines());
        all.filter(|line| line.ends_with(mark)).count()
    };
    assert_eq!(MARKS.map(count), [3, 16, 1]);
}

#[test]
fn readme_shows_the_marked_lines_of_the_learner_program() {
    let readme = include_str!("../../crates/probes/README.md");
    for (heading, mark) in [
        ("**SAM in burn-train**", "// SAM"),
        ("**Probes in burn-train**", "// probes"),
    ] {
        let (_, section) = readme.split_once(heading).expect("a section");
        let (_, block) = section.split_once("```rust\n").expect("a block");
        let (block, _) = block.split_once("```").expect("its end");
        for line in AFTER.lines().filter(|line| line.ends_with(mark)) {
            assert!(
                block.lines().any(|shown| shown == line),
                "not shown: {line}"
            );
        }
        let mut program = AFTER.lines();
        for line in block.lines().filter(|line| !line.is_empty()) {
            assert!(
                program.any(|own| own == line),
                "not in the program, or not there: {line}"
            );
        }
    }
}

#[test]
fn learner_programs_run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER
        .lock()
        .map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;
    crate::learner_before::main()?;
    crate::learner_after::main()
}

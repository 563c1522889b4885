//! The number of workers.

use std::env;
use std::process::Command;

use derivatives::Workers;

#[test]
fn there_are_as_many_workers_as_rayon_is_told() {
    const CHILD: &str = "DERIVATIVES_TEST_CHILD";
    const THIS: &str = "workers::there_are_as_many_workers_as_rayon_is_told";
    if env::var_os(CHILD).is_some() {
        assert_eq!(Workers::default().count(), 3);
        return;
    }
    // A process of its own: rayon reads the variable once.
    let test = env::current_exe().expect("this test");
    let child = Command::new(test)
        .args(["--exact", THIS])
        .env("RAYON_NUM_THREADS", "3")
        .env(CHILD, "1")
        .output()
        .expect("the test runs");
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

//! A disk that fills up: here a limit on the size of files.

use std::path::Path;
use std::process::Command;

use probes::export::Column;
use probes::store::{Identity, MeasureConfig, SliceStore, measure_with};

use super::go_on;

const POINTS: u32 = 200;

/// Measures `POINTS` points of a line; what failed.
fn measure(path: &Path) -> Result<(), probes::Error> {
    let a = (0..POINTS).map(f64::from).collect();
    let identity = Identity::on([Column::new("a", a)], ["loss"]);
    let mut store = SliceStore::open_or_create(path, &identity)?;
    measure_with(
        &mut store,
        None,
        &MeasureConfig::new(),
        go_on,
        |points, each| {
            for (position, [a]) in points.iter().enumerate() {
                if each(position, &[a * a]).is_break() {
                    break;
                }
            }
            Ok::<(), probes::Error>(())
        },
    )?;
    Ok(())
}

/// With a folder in the environment, what the child of the next test does; on its own, the plain
/// case.
#[test]
fn store_without_a_limit_is_completed() {
    let given = std::env::var_os("PROBES_TEST_STORE_FOLDER");
    let own = tempfile::tempdir().unwrap();
    let folder = given.as_deref().map_or(own.path(), Path::new);
    let measured = measure(&folder.join("line.slice"));
    match given {
        Some(_) => println!("\n{}", measured.unwrap_err()),
        None => measured.unwrap(),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn store_at_the_limit_of_its_disk_keeps_what_was_measured_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 4; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "storing::full_disk::store_without_a_limit_is_completed",
        ])
        .arg("--nocapture")
        .env("PROBES_TEST_STORE_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{:?} {said}", output.status);
    let path = folder.path().join("line.slice");
    let (_, samples) = SliceStore::<1>::read(&path).unwrap();
    let recorded = samples
        .recorded
        .iter()
        .filter(|recorded| **recorded)
        .count();
    // 4 blocks of 512 bytes hold the first line and some records of 16 bytes.
    assert!(recorded > 10 && recorded < POINTS as usize, "{recorded}");
    let expected = format!("the {recorded} of {POINTS} points recorded in it stay: make room");
    assert!(
        said.contains("cannot write to") && said.contains(&expected),
        "{said}"
    );
    measure(&path).unwrap();
    let (_, samples) = SliceStore::<1>::read(&path).unwrap();
    assert!(samples.recorded.iter().all(|recorded| *recorded));
    let squares: Vec<f64> = (0..POINTS).map(|a| f64::from(a * a)).collect();
    assert_eq!(samples.quantities[0].values, squares);
}

//! A surface that is killed at random moments and resumed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use burn::nn::Linear;
use landscape::Grid;
use landscape::slice::Slice;
use probes::store::{Identity, MeasureConfig, SliceStore, measure_into};

use super::bits;
use super::slices::slice;

const SIDE: usize = 31;
const CHUNK: usize = 8;
/// So many that a chunk takes some milliseconds, and a kill usually falls into one.
const ROWS: usize = 3000;

/// Random moments, at most so many chunks after the last one.
const CHUNKS_UNTIL_KILL: u64 = 4;
const MICROSECONDS_UNTIL_KILL: u64 = 4000;

fn identity(slice: &Slice<Linear, 2>) -> Identity<2> {
    Identity::of_slice(slice, Grid::square(-1.0..=1.0, SIDE))
}

/// Measures what is missing, and notes the length of each chunk before it is computed.
fn measure(folder: &Path) {
    let slice = slice(ROWS);
    let path = folder.join("x.slice");
    let mut store = SliceStore::open_or_create(path, &identity(&slice)).unwrap();
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let config = MeasureConfig::new().with_chunk(CHUNK);
    measure_into(&slice, &mut store, &config, |progress| {
        let begun = CHUNK.min(progress.wanted - progress.done);
        if begun > 0 {
            writeln!(log, "{begun}").unwrap();
        }
        ControlFlow::Continue(())
    })
    .unwrap();
}

/// With a folder in the environment, what the children of the next test do; on its own, the plain
/// case.
#[test]
fn surface_that_is_not_killed_is_completed() {
    let given = std::env::var_os("PROBES_TEST_KILLS_FOLDER");
    let own = tempfile::tempdir().unwrap();
    let folder = given.as_deref().map_or(own.path(), Path::new);
    measure(folder);
    let (_, samples) = SliceStore::<2>::read(folder.join("x.slice")).unwrap();
    assert!(samples.recorded.iter().all(|recorded| *recorded));
}

fn child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "storing::kills::surface_that_is_not_killed_is_completed",
        ])
        .env("PROBES_TEST_KILLS_FOLDER", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The lengths of the chunks that were begun.
fn begun(folder: &Path) -> Vec<usize> {
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().map(|line| line.parse().unwrap()).collect()
}

/// Counts the points that are recorded, by the length of the file alone: the first line, then
/// records of 24 bytes.
fn recorded(folder: &Path) -> usize {
    let bytes = fs::read(folder.join("x.slice")).unwrap_or_default();
    let line = bytes.iter().position(|byte| *byte == b'\n');
    line.map_or(0, |line| (bytes.len() - line - 1) / 24)
}

/// PROBES_TEST_KILLS says how many surfaces are killed 20 times each, one unless it is set.
#[test]
fn surface_killed_20_times_and_resumed_has_the_bits_of_an_uninterrupted_one() {
    let surfaces = std::env::var("PROBES_TEST_KILLS");
    let surfaces: u64 = surfaces.map_or(1, |count| count.parse().unwrap());
    let slice = slice(ROWS);
    let identity = identity(&slice);
    let points: Vec<[f64; 2]> = (0..identity.points()).map(|i| identity.point(i)).collect();
    let expected = slice
        .values(&points, |_, _| ControlFlow::Continue(()))
        .unwrap();
    let expected: Vec<Option<Vec<u64>>> = expected
        .iter()
        .map(|values| Some(values.iter().map(|value| value.to_bits()).collect()))
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut kills, mut within, mut again) = (0, 0, 0);
    for _ in 0..surfaces {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for _ in 0..20 {
            // Xorshift: any moments will do, the same ones in each run as far as the system allows.
            for shift in [13, -7, 17] {
                state ^= if shift > 0 {
                    state << shift
                } else {
                    state >> -shift
                };
            }
            let chunks = usize::try_from(state % CHUNKS_UNTIL_KILL).unwrap();
            let pause = Duration::from_micros((state >> 20) % MICROSECONDS_UNTIL_KILL);
            let (begun_before, recorded_before) = (begun(folder).len(), recorded(folder));
            let mut child = child(folder);
            while begun(folder).len() < begun_before + chunks {
                assert!(
                    child.try_wait().unwrap().is_none(),
                    "ended before it was killed"
                );
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(pause);
            child.kill().unwrap();
            let status = child.wait().unwrap();
            assert!(!status.success(), "ended before it was killed");
            kills += 1;
            let started: usize = begun(folder)[begun_before..].iter().sum();
            let kept = recorded(folder) - recorded_before;
            assert!(
                started - kept <= CHUNK,
                "{started} points were begun, {kept} kept"
            );
            within += usize::from(started > kept);
            again += started - kept;
        }
        assert!(child(folder).wait().unwrap().success());
        let store = SliceStore::open_or_create(folder.join("x.slice"), &identity).unwrap();
        assert_eq!(bits(&store), expected);
        let started: usize = begun(folder).iter().sum();
        assert!(
            started <= points.len() + 20 * CHUNK,
            "{started} evaluations"
        );
    }
    println!("{kills} kills, {within} of them within a chunk, {again} points computed again");
}

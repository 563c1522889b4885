//! What other processes, kills and limits of the system do to a run.
//!
//! The children are this test program itself: each runs the one test
//! `writer_without_limits_writes_all`, which does what its environment says.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tensorboard::{Error, EventWriter, existing_event_files, read_events};

/// A command that runs `writer_without_limits_writes_all` with a task in a directory, through a
/// shell that first does `setup`.
fn child_with(setup: &str, task: &str, directory: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{setup}; exec \"$0\" \"$@\""))
        .arg(program);
    command.args(["--exact", "writer_without_limits_writes_all", "--nocapture"]);
    command.env("TASK", task).env("DIRECTORY", directory);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// With a task in the environment, what the children of the other tests do; on its own, the plain
/// case.
#[test]
fn writer_without_limits_writes_all() {
    let (Ok(task), Some(directory)) = (std::env::var("TASK"), std::env::var_os("DIRECTORY")) else {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path()).unwrap();
        for step in 0..10 {
            writer.scalar("loss", step, step as f64).unwrap();
        }
        let written = writer.finish().unwrap();
        assert_eq!(written.values, 10);
        assert_eq!(read_events(written.path).unwrap().scalars("loss").len(), 10);
        return;
    };
    let directory = PathBuf::from(directory);
    match task.as_str() {
        "write until killed" => {
            let mut writer = EventWriter::create(directory).unwrap();
            for step in 0.. {
                writer.scalar("loss", step, step as f64).unwrap();
            }
        }
        "exit at once" => {
            let mut writer = EventWriter::create(directory).unwrap();
            writer.scalar("loss", 0, 1.5).unwrap();
            std::process::exit(0);
        }
        "write 5000" => {
            let mut writer = EventWriter::create(directory).unwrap();
            for step in 0..5000 {
                writer.scalar("loss", step, step as f64).unwrap();
            }
            assert!(writer.failure().is_some());
            let counted = (writer.written(), writer.lost());
            match writer.finish().unwrap_err() {
                Error::Lost {
                    written,
                    lost,
                    source,
                    ..
                } => {
                    assert_eq!((written, lost), counted);
                    println!("\nwritten {written} lost {lost} because {source}");
                }
                other => panic!("{other}"),
            }
        }
        "read within the limit" => {
            let error = read_events(directory.join("events")).unwrap_err();
            println!("\nerror: {error}");
        }
        other => panic!("unknown task {other}"),
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the child did not get there"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn lock_of_a_live_process_refuses_and_that_of_a_killed_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = child_with(":", "write until killed", &run).spawn().unwrap();
    let first_file = || existing_event_files(&run).unwrap().into_iter().next();
    wait_until(|| first_file().is_some_and(|path| fs::metadata(path).unwrap().len() > 1000));

    assert!(matches!(
        EventWriter::resume(&run, None),
        Err(Error::Busy { .. })
    ));

    child.kill().unwrap();
    child.wait().unwrap();
    let killed = read_events(first_file().unwrap()).unwrap();
    let scalars = killed.scalars("loss");
    assert!(scalars.len() > 10);
    assert!(
        scalars
            .iter()
            .zip(0..)
            .all(|(point, step)| *point == (step, step as f32))
    );

    let next = scalars.last().unwrap().0 + 1;
    let mut writer = EventWriter::resume(&run, Some(next)).unwrap();
    writer.scalar("loss", next, 0.0).unwrap();
    writer.finish().unwrap();
}

#[test]
fn exit_without_drop_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = child_with(":", "exit at once", &run).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let files = existing_event_files(&run).unwrap();
    assert_eq!(read_events(&files[0]).unwrap().scalars("loss"), [(0, 1.5)]);
}

/// Runs 5000 scalars under a limit on the size of files, and checks the report and what is left.
fn limited_to(setup: &str) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = child_with(setup, "write 5000", &run).output().unwrap();
    assert!(
        output.status.success(),
        "{:?} {}",
        output.status,
        text(&output)
    );

    let file = &existing_event_files(&run).unwrap()[0];
    let read = read_events(file).unwrap();
    assert!(!read.truncated, "the piece was cut off");
    assert_eq!(read.good_bytes, fs::metadata(file).unwrap().len());
    let (written, lost) = (read.points.len(), 5000 - read.points.len());
    assert!(written > 10 && lost > 10, "{written} {lost}");
    let report = format!("written {written} lost {lost} because ");
    assert!(
        text(&output).contains(&report),
        "{report} not in {}",
        text(&output)
    );
}

#[test]
fn size_limit_is_counted_and_reported_and_leaves_a_sound_file() {
    // The unit is 512 or 1024 bytes, depending on the shell.
    limited_to("ulimit -f 8");
}

#[test]
fn size_limit_with_its_signal_ignored_is_the_same() {
    limited_to("trap '' XFSZ; ulimit -f 9");
}

/// Writes one record with a right frame.
#[cfg(target_os = "linux")]
fn write_record(path: &Path, data: &[u8]) {
    let masked = |b: &[u8]| {
        crc32c::crc32c(b)
            .rotate_right(15)
            .wrapping_add(0xa282_ead8)
            .to_le_bytes()
    };
    let length = (data.len() as u64).to_le_bytes();
    let record = [&length[..], &masked(&length), data, &masked(data)].concat();
    fs::write(path, record).unwrap();
}

/// A field with a length, as the protocol buffers have it.
#[cfg(target_os = "linux")]
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    [bytes.as_slice(), content].concat()
}

/// Records that would take 300 MiB to 2.4 GB once decoded: 16 MiB of values and of strings without
/// a byte, and 80 MiB of sizes without a byte, and of integers that have four bytes in memory.
#[cfg(target_os = "linux")]
#[test]
fn reader_of_what_expands_stays_within_400_mib() {
    let value = |tensor: Vec<u8>| field(5, &field(1, &field(8, &tensor)));
    let empty = |number: u8| [number << 3 | 2, 0].repeat(8 << 20);
    for data in [
        field(5, &empty(1)),
        value(empty(8)),
        value(field(2, &empty(2)).repeat(5)),
        value(field(7, &vec![1; 80 << 20])),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_record(&folder.path().join("events"), &data);
        let output = child_with("ulimit -v 409600", "read within the limit", folder.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{:?} {}",
            output.status,
            text(&output)
        );
        assert!(
            text(&output).contains("bytes of memory"),
            "{}",
            text(&output)
        );
    }
}

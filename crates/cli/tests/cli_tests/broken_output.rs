//! Output that cannot be written: no panic, the exit codes of README.md, and every training goes on
//! to its end.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use crate::program::Workplace;

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    /// Nothing: it is read to its end.
    No,
    /// It was closed before the program started, as `>&-` does.
    Closed,
    /// The disk behind it is full.
    Full,
    /// It is a pipe whose reader has gone away.
    Gone,
}

impl Broken {
    fn stdio(self) -> Stdio {
        match self {
            Self::No | Self::Closed => Stdio::piped(),
            Self::Full => Stdio::from(full()),
            Self::Gone => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                Stdio::from(writer)
            }
        }
    }
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Runs the program with broken streams. The shell closes what is to be closed, and then becomes
/// the program.
fn ended(place: &Workplace, arguments: &[&str], out: Broken, err: Broken) -> Output {
    let close = |stream: Broken, number| match stream {
        Broken::Closed => format!("{number}>&- "),
        _ => String::new(),
    };
    let script = format!("exec \"$0\" \"$@\" {}{}", close(out, 1), close(err, 2));
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_landscape")])
        .args(arguments)
        .current_dir(place.path("."))
        .arg0("sh")
        .stdout(out.stdio())
        .stderr(err.stdio());
    command.output().unwrap()
}

/// The commands, their codes when all is well, and whether they write to standard output.
const COMMANDS: &[(&[&str], i32, bool)] = &[
    (&["--help"], 0, true),
    (&["--version"], 0, true),
    (&["train", "--help"], 0, true),
    (&["list"], 0, true),
    (&["list", "--json"], 0, true),
    (&["compare", "done"], 0, true),
    (&["compare", "done", "--json"], 0, true),
    (&["run", "one", "--overwrite"], 0, true),
    (&["run", "one", "--overwrite", "--json"], 0, true),
    (&["run", "one", "--resume", "--output", "done"], 0, true),
    (&["train", "--overwrite"], 0, true),
    (&["train", "--overwrite", "--json"], 0, true),
    (
        &[
            "spectrum",
            "done",
            "--overwrite",
            "--top=1",
            "--bottom=0",
            "--no-trace",
            "--no-density",
            "--examples=8",
        ],
        0,
        true,
    ),
    (
        &[
            "sharpness",
            "done",
            "--overwrite",
            "--directions=1",
            "--gradients=1",
            "--pairs=2",
            "--no-curvature",
            "--examples=8",
            "--json",
        ],
        0,
        true,
    ),
    (&["critical", "nowhere"], 2, false),
    (&["run", "none"], 2, false),
    (&["run", "none", "--json"], 2, true),
    (&["run", "--epochs", "many"], 2, false),
    (&["run", "--epochs", "many", "--json"], 2, true),
    (&["no-such-command"], 2, false),
    (&[], 2, false),
];

#[test]
fn broken_output_never_panics_and_has_the_documented_exit_code() {
    let place = Workplace::new();
    place
        .landscape(&["run", "one", "--output", "done"])
        .expect(0, &[]);
    let every = [Broken::No, Broken::Closed, Broken::Full, Broken::Gone];
    let mut rows = 0;
    for (arguments, code, writes) in COMMANDS {
        for out in every {
            for err in every {
                let output = ended(&place, arguments, out, err);
                let what = format!("{arguments:?}, out {out:?}, err {err:?}");
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                // A full standard output is a failure; an error that was there before it keeps its
                // code.
                let expected = match (out, writes, code) {
                    (Broken::Full, true, 0) => 1,
                    _ => *code,
                };
                assert_eq!(output.status.code(), Some(expected), "{what}: {said}");
                assert!(!said.contains("panicked"), "{what}: {said}");
                if err == Broken::No && expected == 1 {
                    assert!(
                        said.contains("cannot be written") && said.contains("No space left"),
                        "{what}: {said}"
                    );
                }
                rows += 1;
            }
        }
    }
    assert_eq!(rows, 16 * COMMANDS.len());
}

#[test]
fn training_goes_on_to_the_same_end_when_nobody_can_read_what_it_says() {
    let place = Workplace::new();
    place
        .landscape(&["run", "one", "--output", "whole"])
        .expect(0, &[]);
    let whole = crate::program::summary(&place.path("whole"));
    for (name, out, err) in [
        ("full", Broken::Full, Broken::Full),
        ("gone", Broken::Gone, Broken::Gone),
        ("closed", Broken::Closed, Broken::Closed),
    ] {
        ended(&place, &["run", "one", "--output", name], out, err);
        assert_eq!(crate::program::summary(&place.path(name)), whole, "{name}");
    }
}

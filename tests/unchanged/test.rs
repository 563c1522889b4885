//! Measuring never changes training: weights, buffers and random stream, bit for bit.

use std::process::Command;

/// Returns the lines that the training program prints in a process of its own.
fn bits(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_unchanged-training"))
        .args(arguments)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the program prints hexadecimal numbers")
}

fn assert_probes_change_nothing(method: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().to_str().expect("a path in UTF-8");
    let (plain, probed) = (bits(&[method]), bits(&[method, folder]));
    // Six tensors of weights, two of BatchNorm's scale and shift and two of its statistics twice
    // over, and the random numbers.
    assert!(plain.lines().count() >= 13, "{}", plain.lines().count());
    assert_eq!(plain, probed);
    let written = tensorboard::existing_event_files(folder).expect("the folder can be read");
    assert_eq!(written.len(), 1, "the probed training wrote its event file");
}

#[test]
fn probes_leave_a_training_with_batch_norm_and_dropout_unchanged() {
    assert_probes_change_nothing("adam");
}

#[test]
fn probes_leave_a_sharpness_aware_training_unchanged() {
    assert_probes_change_nothing("sam");
}

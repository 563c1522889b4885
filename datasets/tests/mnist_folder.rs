//! MNIST from a folder: every published name is found, and a broken file is named in one sentence.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::Write;
use std::path::Path;

use datasets::{Error, Mnist};
use flate2::Compression;
use flate2::write::GzEncoder;

fn images(count: u8, height: u8, width: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0x803, count.into(), height.into(), width.into()] {
        bytes.extend_from_slice(&u32::to_be_bytes(word));
    }
    bytes.extend(0..count * height * width);
    bytes
}

fn labels(labels: &[u8]) -> Vec<u8> {
    let count = u32::try_from(labels.len()).unwrap();
    let mut bytes = [0x801_u32.to_be_bytes(), count.to_be_bytes()].concat();
    bytes.extend_from_slice(labels);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// A folder of four sound files: three training and two test images of 2 by 3 pixels.
fn sound() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), TRAIN_IMAGES, &images(3, 2, 3));
    write(folder.path(), TRAIN_LABELS, &labels(&[4, 0, 9]));
    write(folder.path(), TEST_IMAGES, &images(2, 2, 3));
    write(folder.path(), TEST_LABELS, &labels(&[1, 2]));
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// The error after one file of a sound folder is replaced.
fn broken(name: &str, bytes: &[u8]) -> Error {
    let folder = sound();
    write(folder.path(), name, bytes);
    let error = Mnist::from_folder(folder.path()).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

#[test]
fn plain_compressed_and_dotted_names_are_read_alike() {
    let plain = Mnist::from_folder(sound().path()).unwrap();
    assert_eq!(
        plain
            .train
            .images
            .iter()
            .map(|image| image.label)
            .collect::<Vec<_>>(),
        [4, 0, 9]
    );
    assert_eq!(
        (plain.train.height, plain.train.width, plain.test.len()),
        (2, 3, 2)
    );
    assert_eq!(
        plain.train.images[1].pixels,
        [6.0, 7.0, 8.0, 9.0, 10.0, 11.0].map(|byte: f32| byte / 255.0)
    );

    for rename in [
        |name: &str| format!("{name}.gz"),
        |name: &str| name.replace("-idx", ".idx"),
        |name: &str| format!("{}.gz", name.replace("-idx", ".idx")),
    ] {
        let folder = sound();
        for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            std::fs::remove_file(folder.path().join(name)).unwrap();
            let renamed = rename(name);
            let bytes = if renamed.ends_with(".gz") {
                gzip(&bytes)
            } else {
                bytes
            };
            write(folder.path(), &renamed, &bytes);
        }
        let read = Mnist::from_folder(folder.path()).unwrap();
        assert_eq!(
            (read.train, read.test),
            (plain.train.clone(), plain.test.clone())
        );
    }
}

#[test]
fn a_missing_file_is_named_with_the_accepted_names() {
    let folder = sound();
    std::fs::remove_file(folder.path().join(TEST_LABELS)).unwrap();
    let message = Mnist::from_folder(folder.path()).unwrap_err().to_string();
    for name in [
        TEST_LABELS,
        "t10k-labels.idx1-ubyte",
        ".gz",
        &folder.path().display().to_string(),
    ] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for (name, whole) in [
        (TRAIN_IMAGES, images(3, 2, 3)),
        (TRAIN_LABELS, labels(&[4, 0, 9])),
    ] {
        for len in 0..whole.len() {
            let error = broken(name, &whole[..len]);
            assert!(
                matches!(error, Error::Length { longer: false, .. }),
                "cut to {len}: {error}"
            );
        }
        let compressed = gzip(&whole);
        for len in 2..compressed.len() {
            let error = broken(name, &compressed[..len]);
            // gzip ends with a checksum, so a cut file fails in the decompressor even where all
            // data is there.
            assert!(
                matches!(error, Error::Read { .. } | Error::Length { .. }),
                "cut to {len}: {error}"
            );
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let error = broken(TEST_IMAGES, &[images(2, 2, 3), vec![0]].concat());
    assert!(
        matches!(
            error,
            Error::Length {
                longer: true,
                expected: 28,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let error = broken(TRAIN_IMAGES, &labels(&[4, 0, 9]));
    assert!(
        matches!(
            error,
            Error::Magic {
                expected: 0x803,
                found: 0x801,
                ..
            }
        ),
        "{error}"
    );
    let error = broken(TRAIN_LABELS, b"<html>not found</html>");
    assert!(
        matches!(
            error,
            Error::Magic {
                expected: 0x801,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn counts_labels_and_sizes_that_do_not_fit_are_refused() {
    let error = broken(TRAIN_LABELS, &labels(&[4, 0]));
    assert!(
        matches!(
            error,
            Error::Counts {
                images: 3,
                labels: 2,
                ..
            }
        ),
        "{error}"
    );
    let error = broken(TRAIN_LABELS, &labels(&[4, 10, 0]));
    assert!(
        matches!(
            error,
            Error::Label {
                index: 1,
                label: 10,
                ..
            }
        ),
        "{error}"
    );
    let error = broken(TEST_IMAGES, &images(2, 3, 3));
    assert!(
        matches!(
            error,
            Error::Sizes {
                train: [2, 3],
                test: [3, 3],
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_header_that_promises_too_much_costs_no_memory() {
    let huge = |count: u32, height: u32, width: u32| {
        [0x803, count, height, width].map(u32::to_be_bytes).concat()
    };
    let error = broken(TRAIN_IMAGES, &huge(u32::MAX, u32::MAX, u32::MAX));
    assert!(matches!(error, Error::Shape { .. }), "{error}");
    let error = broken(TRAIN_IMAGES, &huge(u32::MAX, 28, 28));
    assert!(matches!(error, Error::Length { found: 16, .. }), "{error}");
    let error = broken(TRAIN_IMAGES, &huge(3, 0, 28));
    assert!(matches!(error, Error::Shape { .. }), "{error}");
}

#[test]
fn full_mnist_names_are_documented_where_the_reader_looks() {
    let message = Mnist::from_folder("no/such/folder")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("train-images-idx3-ubyte or train-images-idx3-ubyte.gz"),
        "{message}"
    );
}

#[test]
fn set_of_more_classes_is_read_if_they_are_said() {
    let folder = sound();
    write(folder.path(), TRAIN_LABELS, &labels(&[4, 26, 9]));
    let read = |classes| Mnist::from_folder_of(folder.path(), classes);
    let letters = read(27).unwrap();
    assert_eq!((letters.train.classes, letters.test.classes), (27, 27));
    assert_eq!(letters.train.images[1].label, 26);
    for classes in [0, 10, 26] {
        let error = read(classes).unwrap_err();
        assert!(matches!(error, Error::Label { .. }), "{error}");
    }
    assert!(Mnist::from_folder(folder.path()).is_err());
}

//! The errors of reading and dividing data.

use std::path::PathBuf;

/// An error of this crate; each message names the file or the value and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A bundled file is not the file that was published.
    #[error(
        "the bundled file {file} has SHA-256 {found} instead of {expected}: restore datasets/data/{file} and build again"
    )]
    Checksum {
        /// Name of the file.
        file: String,
        /// The digest written in the source, in hexadecimal.
        expected: String,
        /// The digest of the bytes that were compiled in, in hexadecimal.
        found: String,
    },
    /// The folder holds none of the names under which a file is published.
    #[error(
        "the folder {} holds no file named {}: download the four MNIST files into it", folder.display(), names.join(" or ")
    )]
    NotFound {
        /// The folder that was searched.
        folder: PathBuf,
        /// The accepted names, best known first.
        names: Vec<String>,
    },
    /// A file could not be opened, read or decompressed.
    #[error("{file} cannot be read: {source}; check that the file is complete and readable")]
    Read {
        /// The file.
        file: String,
        /// The error of the system or of the decompressor.
        source: std::io::Error,
    },
    /// An idx file does not begin with the number of its kind.
    #[error(
        "{file} begins with the magic number {found:#010x}, but idx {kind} begin with {expected:#010x}: check that the file is what its name says"
    )]
    Magic {
        /// The file.
        file: String,
        /// `images` or `labels`.
        kind: &'static str,
        /// 0x00000803 for images, 0x00000801 for labels.
        expected: u32,
        /// The first four bytes, big-endian.
        found: u32,
    },
    /// A file holds fewer or more bytes than its header promises.
    #[error(
        "{file} should hold {expected} bytes by its header, but holds {}: fetch it again", if *longer { "more".to_owned() } else { format!("only {found}") }
    )]
    Length {
        /// The file.
        file: String,
        /// Bytes promised, header included.
        expected: u64,
        /// Bytes read; reading stops one byte after the promised end.
        found: u64,
        /// Whether there were more bytes than promised.
        longer: bool,
    },
    /// The header of an idx file describes something that cannot be a set of images.
    #[error(
        "{file} declares {count} images of {height} by {width} pixels, which is no set of images: fetch it again"
    )]
    Shape {
        /// The file.
        file: String,
        /// Declared number of images.
        count: u32,
        /// Declared rows of an image.
        height: u32,
        /// Declared columns of an image.
        width: u32,
    },
    /// Images and labels do not belong together.
    #[error(
        "{images_file} holds {images} images, but {labels_file} holds {labels} labels: take both files from the same set"
    )]
    Counts {
        /// The file of images.
        images_file: String,
        /// Number of images.
        images: usize,
        /// The file of labels.
        labels_file: String,
        /// Number of labels.
        labels: usize,
    },
    /// Training and test images have different sizes.
    #[error(
        "{train_file} holds images of {train:?} pixels, but {test_file} of {test:?}: take all files from the same set"
    )]
    Sizes {
        /// The file of training images.
        train_file: String,
        /// Height and width of a training image.
        train: [usize; 2],
        /// The file of test images.
        test_file: String,
        /// Height and width of a test image.
        test: [usize; 2],
    },
    /// A label is not one of the classes.
    #[error("example {index} of {file} has the label {label}, but the classes are 0 to {}: fetch the file again, or read it with more classes", classes.saturating_sub(1))]
    Label {
        /// The file.
        file: String,
        /// Zero-based position of the example.
        index: usize,
        /// The label read.
        label: u8,
        /// Number of classes.
        classes: usize,
    },
    /// A line of a table of numbers is not what it should be.
    #[error("line {line} of {file} {reason}")]
    Line {
        /// The file.
        file: String,
        /// One-based number of the line.
        line: usize,
        /// The fault, as the end of a sentence.
        reason: String,
    },
    /// There is nothing to work on.
    #[error("the dataset is empty: {what} needs at least one image")]
    Empty {
        /// The value that was asked for.
        what: &'static str,
    },
    /// A part of a split is not a fraction, or the parts leave nothing to train on.
    #[error(
        "the split asks for {validation} of the images as validation and {test} as test: both must be at least 0 and together less than 1, and leave one image for training"
    )]
    Fraction {
        /// Fraction of the images held out for validation.
        validation: f64,
        /// Fraction of the images held out for the test.
        test: f64,
    },
    /// A batch of no examples was asked for.
    #[error("the batch size is 0: choose at least 1")]
    BatchSize,
}

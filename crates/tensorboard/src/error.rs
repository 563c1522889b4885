//! The errors of writing and reading event files.

use std::io;
use std::path::PathBuf;

/// An error of this crate.
///
/// Errors of a live run fall in two classes. *Invalid input* (a step that does not increase, a bin
/// that is not finite, bytes that are no PNG) is returned by the call that brought it, and nothing
/// is written. *Failed input or output* after the file was opened is not returned by the writing
/// call, because a full disk must not end a training run: it is kept, what it cost is counted, and
/// [`EventWriter::finish`](crate::EventWriter::finish) returns it once, as [`Error::Lost`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be opened, read, locked or created.
    #[error("cannot {action} `{}`: check that it exists, its permissions and the free space", path.display())]
    Io {
        /// The action that failed, as a verb: `create`, `lock`, `read`, ..
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// Another writer, of this process or another one, is open in the run directory.
    #[error(
        "another writer is open in run directory `{}`: share that writer, finish it first, or choose another directory",
        directory.display()
    )]
    Busy {
        /// The run directory.
        directory: PathBuf,
    },

    /// A file that this process has open is not at its path any more.
    #[error(
        "`{}` is no longer the file that this process has open: it was removed, moved or replaced in the meantime",
        path.display()
    )]
    Replaced {
        /// The path.
        path: PathBuf,
    },

    /// A fresh run was asked for in a directory that already holds a run.
    #[error(
        "run directory `{}` already holds {files} event file(s): resume that run, choose another directory, or remove the files first",
        directory.display()
    )]
    AlreadyHoldsRun {
        /// The run directory.
        directory: PathBuf,
        /// The number of event files that are there.
        files: usize,
    },

    /// A file in the run directory sorts after every name that a new event file could have.
    #[error(
        "no event file can sort after `{name}` in run directory `{}`: rename that file or choose another directory",
        directory.display()
    )]
    NameOrder {
        /// The run directory.
        directory: PathBuf,
        /// The name that sorts last.
        name: String,
    },

    /// The ending of a file's name, with a character that does not belong there.
    #[error(
        "`{suffix}` cannot end the name of a file: take at most 100 letters, digits, `-`, `_`, `.`, `=` and `+`"
    )]
    Suffix {
        /// The ending.
        suffix: String,
    },

    /// A value without a tag.
    #[error("the tag is empty: name the value, for example `loss/train`")]
    EmptyTag,

    /// A step that is not greater than the last step of the same tag.
    #[error(
        "step {step} of tag `{tag}` does not come after its last step {last}: write every tag once per step, in order"
    )]
    StepNotIncreasing {
        /// The tag.
        tag: String,
        /// The last step that the tag has.
        last: i64,
        /// The step that was refused.
        step: i64,
    },

    /// A step before the step at which the run starts or resumes.
    #[error(
        "step {step} of tag `{tag}` comes before step {start}, at which the run starts: resume the run at an earlier step"
    )]
    StepBeforeStart {
        /// The tag.
        tag: String,
        /// The first step of this part of the run.
        start: i64,
        /// The step that was refused.
        step: i64,
    },

    /// One tag for two kinds of values.
    #[error(
        "tag `{tag}` holds {first} values and cannot take a {second} value: choose another tag"
    )]
    TagKind {
        /// The tag.
        tag: String,
        /// The kind of its first value.
        first: &'static str,
        /// The kind that was refused.
        second: &'static str,
    },

    /// A description after the first value.
    #[error("tag `{tag}` has values already: describe a tag before its first value")]
    DescribedLate {
        /// The tag.
        tag: String,
    },

    /// A setting that TensorBoard's table of hyperparameters cannot take.
    #[error("the setting `{name}` cannot be shown: {rule}")]
    Setting {
        /// The name of the setting.
        name: String,
        /// The rule that it breaks.
        rule: &'static str,
    },

    /// A sample of a histogram that is NaN or infinite.
    #[error(
        "value {value} at index {index} cannot be put in a bin: leave out what is not finite, and log how many there were"
    )]
    ValueNotFinite {
        /// Index in the slice.
        index: usize,
        /// The value.
        value: f64,
    },

    /// A bin that no histogram can have.
    #[error("bin {bin} (left {left}, right {right}, weight {weight}) is not usable: {rule}")]
    Bin {
        /// Index of the bin.
        bin: usize,
        /// Its left edge.
        left: f64,
        /// Its right edge.
        right: f64,
        /// Its weight.
        weight: f64,
        /// The rule that it breaks.
        rule: &'static str,
    },

    /// Bytes that are not a whole PNG picture.
    #[error("the bytes are not a PNG picture ({reason}): pass the unchanged content of a PNG file")]
    NotPng {
        /// The reason.
        reason: &'static str,
    },

    /// A picture whose pixels do not fit its size.
    #[error(
        "a picture of {width} x {height} pixels needs {expected} values, not {given}: pass width * height of them for each channel"
    )]
    PixelCount {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The number of values for that size.
        expected: u64,
        /// The number of values that were given.
        given: u64,
    },

    /// A tensor that is no picture.
    #[error("a picture has 1 or 3 channels, not {channels}: give it as [channels, height, width]")]
    Channels {
        /// The number of channels.
        channels: usize,
    },

    /// The PNG encoder refused the picture.
    #[error(
        "the picture cannot be encoded as PNG: choose a size between 1 and 2^31 - 1 pixels a side"
    )]
    PngEncoding(#[from] png::EncodingError),

    /// An image entry without a picture.
    #[error("tag `{tag}` got no picture: pass at least one")]
    NoPicture {
        /// The tag.
        tag: String,
    },

    /// Pictures of several sizes in one image entry.
    #[error(
        "the pictures of tag `{tag}` differ in size ({} x {} and {} x {}): write each size under a tag of its own",
        first.0, first.1, other.0, other.1
    )]
    PictureSizes {
        /// The tag.
        tag: String,
        /// Width and height of the first picture.
        first: (u32, u32),
        /// Width and height of the picture that differs.
        other: (u32, u32),
    },

    /// A mesh that the viewer cannot draw.
    #[error("the mesh cannot be drawn: {rule}")]
    Mesh {
        /// The rule that it breaks, and the number that breaks it.
        rule: String,
    },

    /// A layout of charts that TensorBoard would not show.
    #[error("the layout of charts cannot be shown: {rule}")]
    Layout {
        /// The rule that it breaks.
        rule: String,
    },

    /// Scores, labels or weights of which there is no precision-recall curve.
    #[error("there is no precision-recall curve: {rule}")]
    PrCurve {
        /// The rule that they break.
        rule: String,
    },

    /// A value of more bytes than a record may have.
    #[error(
        "the value of tag `{tag}` takes {bytes} bytes, but a record may have {}: write fewer or smaller pictures or bins, or less text",
        crate::record::LARGEST_RECORD
    )]
    ValueTooLarge {
        /// The tag.
        tag: String,
        /// The bytes of the record that it would have made.
        bytes: u64,
    },

    /// Values were lost while the run went on.
    #[error(
        "{lost} value(s) are missing from `{}`, which holds the {written} before: free some space and resume the run",
        path.display()
    )]
    Lost {
        /// The event file; it is readable up to its last whole record.
        path: PathBuf,
        /// The number of values that were written.
        written: u64,
        /// The number of values that were not.
        lost: u64,
        /// The first failure.
        source: io::Error,
    },

    /// A record whose checksum does not match.
    #[error("`{}` is corrupt: the {part} of the record at byte {offset} fails its checksum; what comes before is sound", path.display())]
    Corrupt {
        /// The event file.
        path: PathBuf,
        /// The place where the record begins, in bytes: the end of the last good one.
        offset: u64,
        /// `length` or `data`.
        part: &'static str,
    },

    /// A record that would take more memory than a reader gives it.
    #[error(
        "the record at byte {offset} of `{}` takes {bytes} bytes of memory, but a reader gives it {}: check that another program did not write the file",
        path.display(), crate::record::LARGEST_RECORD
    )]
    RecordTooLarge {
        /// The event file.
        path: PathBuf,
        /// The place where the record begins, in bytes.
        offset: u64,
        /// The length of the record, or what it would take once decoded.
        bytes: u64,
    },

    /// A record with a right checksum that is no event.
    #[error("the record at byte {offset} of `{}` is not an event: check that another program did not write the file", path.display())]
    NotAnEvent {
        /// The event file.
        path: PathBuf,
        /// The place where the record begins, in bytes.
        offset: u64,
        /// The decoder's reason.
        source: prost::DecodeError,
    },
}

//! Slices of many points in files that survive a kill and are gone on with.
//!
//! [`SliceStore`] is the file; [`measure_into`] measures what is missing in it, chunk by chunk.
//! After a kill at any moment the same call goes on, computes at most the chunk again that was
//! being computed, and ends with the same bits as a run that was never interrupted. So does
//! [`refine_into`], which measures only the points that a picture needs.
//!
//! Memory is 8 K + 1 bytes for each point of K quantities, and the file has 8 K + 8.
//!
//! # The format
//!
//! A file begins with a line of text, `landscape-slice/1`, a space, eight hexadecimal digits, a
//! space, a JSON object; the digits are CRC-32C of the object's bytes. It has
//!
//! | key | value |
//! |---|---|
//! | `version` | the version of this crate that began the file |
//! | `model`, `directions`, `data` | checksums, eight hexadecimal digits |
//! | `normalisation`, `evaluation` | sentences |
//! | `quantities` | names of the K quantities |
//! | `axes` | a list of one or two axes, each with its `name` and `values` |
//!
//! Records of 8 K + 8 bytes follow, little-endian, one for each point that was measured, in any
//! order: the index of the point (32 bits), its K values (64-bit floats), CRC-32C of these bytes
//! (32 bits). Point `i * len(b) + j` is the one at `a[i]` and `b[j]`. A piece of a record at the
//! end is what a kill has left of it, and counts as nothing. So some lines of Python read a file,
//! also while it is written:
//!
//! ```python
//! import json, math, struct
//!
//! def read_slice(path):
//!     line, _, records = open(path, "rb").read().partition(b"\n")
//!     about = json.loads(line.split(b" ", 2)[2])
//!     names = about["quantities"]
//!     points = math.prod(len(axis["values"]) for axis in about["axes"])
//!     values = {name: [None] * points for name in names}  # None: not recorded
//!     layout = struct.Struct(f"<I{len(names)}dI")
//!     whole = records[: len(records) // layout.size * layout.size]
//!     for index, *found, _ in layout.iter_unpack(whole):
//!         for name, value in zip(names, found):
//!             values[name][index] = value
//!     return about, values
//! ```

pub mod checksum;
mod file;
mod header;
mod identity;
mod measure;
mod record;
mod refine;
mod slice;

pub use file::SliceStore;
pub use identity::{Axes, Identity};
pub use measure::{MeasureConfig, Measured, Progress, measure_with};
pub use refine::refine_into;
pub use slice::{measure_into, measure_wanted};

use std::path::Path;

use crate::Error;

/// The version of this crate, which belongs to the identity of what it measures.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first thing in a file that is not as it was written.
struct Damage {
    /// The damage in words.
    what: String,
    /// The length of the file before it, and the number of records there; none if it is the first
    /// line.
    sound: Option<(u64, usize)>,
}

impl Damage {
    fn of(self, path: &Path) -> Error {
        let remedy = match self.sound {
            None => "restore the file, name another one, or remove it to measure anew".to_owned(),
            Some((length, records)) => format!(
                "restore the file, cut it with `truncate --size {length}` to go on from the {records} records before, or remove it to measure anew"
            ),
        };
        Error::Damaged {
            path: path.to_owned(),
            what: self.what,
            remedy,
        }
    }
}

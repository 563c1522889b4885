//! The file of a slice.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::header::{self, Refused};
use super::{Damage, Identity, record};
use crate::Error;
use crate::disk::{is_in_place, sync, write_whole};
use crate::export::Samples;

/// The values of named quantities at the points of a slice, in a file that survives a kill at any
/// moment and is gone on with afterwards.
///
/// A point is recorded or not; what its values are does not matter. Zero, negative numbers,
/// infinities and NaN, whose bits are kept, are values like any other and are never measured again.
/// Which points are measured is the caller's choice: all [`missing`](Self::missing) ones, or those
/// of a fine grid that a refinement asks for.
///
/// One process at a time has the file, by a lock of the operating system that ends with the
/// process. The [module](super) describes the format.
///
/// # Examples
/// ```
/// use probes::export::Column;
/// use probes::store::{Identity, SliceStore};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("line.slice");
/// let identity = Identity::on([Column::new("a", vec![-1.0, 0.0, 1.0])], ["loss"]);
/// let mut store = SliceStore::open_or_create(&path, &identity)?;
/// store.add(1, &[0.0])?;
/// drop(store); // or a kill
/// let store = SliceStore::open_or_create(&path, &identity)?;
/// assert_eq!(store.missing(), [0, 2]);
/// assert_eq!(store.value(1), Some(&[0.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SliceStore<const D: usize> {
    file: Locked,
    path: PathBuf,
    content: Content<D>,
    unsynced: bool,
}

/// The content of a file.
#[derive(Debug)]
struct Content<const D: usize> {
    identity: Identity<D>,
    /// The values of each point one after the other; NaN where nothing is recorded.
    values: Vec<f64>,
    recorded: Vec<bool>,
    missing: usize,
}

impl<const D: usize> SliceStore<D> {
    /// Opens the file of a slice, or begins it, and the folder that it is in. A last record that a
    /// kill has cut is dropped.
    ///
    /// # Errors
    /// [`Error::AnotherSlice`] when the file is of another identity, with what differs;
    /// [`Error::Damaged`] when something else in it is not as it was written; [`Error::Busy`] when
    /// another process has it; [`Error::Slice`] for an identity without points or quantities;
    /// [`Error::File`] when it cannot be opened, locked, read or written. In all these cases the
    /// file stays as it is.
    pub fn open_or_create(path: impl AsRef<Path>, identity: &Identity<D>) -> Result<Self, Error> {
        identity.check()?;
        let path = path.as_ref();
        let mut file = Locked::open(path)?;
        let mut bytes = Vec::new();
        file.0
            .read_to_end(&mut bytes)
            .map_err(|source| failed("read", path, source))?;
        let line = header::line(identity);
        if bytes.len() < line.len() && line.as_bytes().starts_with(&bytes) {
            // A new file, or one whose beginning a kill has cut.
            begin(&mut file.0, path, line.as_bytes())?;
            bytes = line.into_bytes();
        }
        let (content, version, sound) = Content::read(&bytes, path)?;
        let differences = identity.differences(&content.identity, &version);
        if !differences.is_empty() {
            return Err(Error::AnotherSlice {
                path: path.to_owned(),
                differences: differences.join("; "),
            });
        }
        if sound < bytes.len() {
            file.0
                .set_len(sound as u64)
                .map_err(|source| failed("cut", path, source))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            content,
            unsynced: false,
        })
    }

    /// Reads the file of a slice, whatever its identity, without a lock: also while it is written.
    ///
    /// # Errors
    /// [`Error::Damaged`]; [`Error::AnotherSlice`] when it has another number of axes;
    /// [`Error::File`] when it cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<(Identity<D>, Samples), Error> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| failed("read", path, source))?;
        let (content, _, _) = Content::<D>::read(&bytes, path)?;
        let samples = content.samples();
        Ok((content.identity, samples))
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the identity.
    #[must_use]
    pub fn identity(&self) -> &Identity<D> {
        &self.content.identity
    }

    /// Returns the indices of the points that are not recorded, in ascending order.
    #[must_use]
    pub fn missing(&self) -> Vec<usize> {
        let recorded = self.content.recorded.iter().enumerate();
        recorded
            .filter(|(_, recorded)| !**recorded)
            .map(|(index, _)| index)
            .collect()
    }

    /// Returns the validity mask: which points are recorded.
    #[must_use]
    pub fn recorded(&self) -> &[bool] {
        &self.content.recorded
    }

    /// Returns whether all points are recorded.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.content.missing == 0
    }

    /// Returns the values of a point, one for each quantity, if it is recorded.
    #[must_use]
    pub fn value(&self, index: usize) -> Option<&[f64]> {
        let recorded = self.content.recorded.get(index)?;
        recorded.then(|| self.content.of(index))
    }

    /// Returns all values with the validity mask, for drawing and for [`export`](crate::export).
    #[must_use]
    pub fn values(&self) -> Samples {
        self.content.samples()
    }

    /// Records the values of a point, one for each quantity. They are in the file, and safe from a
    /// kill, when this returns; [`sync`](Self::sync) makes them safe from a power failure.
    ///
    /// A point that is recorded already, with the same bits, is left as it is.
    ///
    /// # Errors
    /// [`Error::Slice`] for an index or a number of values that the slice has not, or a point that
    /// is recorded with other values; [`Error::Unwritten`] when the file cannot be written, as on a
    /// full disk: what was recorded before stays, and the point counts as missing.
    #[expect(
        clippy::missing_panics_doc,
        reason = "an identity is checked for its number of points"
    )]
    pub fn add(&mut self, index: usize, values: &[f64]) -> Result<(), Error> {
        self.content.fits(index, values)?;
        if self.content.recorded[index] {
            return Ok(());
        }
        let number = u32::try_from(index).expect("a slice has at most 2^28 points");
        let bytes = record::encode(number, values);
        write_whole(&mut self.file.0, &bytes).map_err(|(_, source)| self.unwritten(source))?;
        self.unsynced = true;
        self.content.record(index, values);
        Ok(())
    }

    /// Waits until all that was recorded is on the disk, and sees that the file is still in its
    /// place.
    ///
    /// # Errors
    /// [`Error::Unwritten`] when the disk refuses, or the file was removed or replaced.
    pub fn sync(&mut self) -> Result<(), Error> {
        if self.unsynced {
            sync(&self.file.0).map_err(|source| self.unwritten(source))?;
            self.unsynced = false;
        }
        match is_in_place(&self.file.0, &self.path) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let reason = "it was removed or replaced meanwhile";
                Err(self.unwritten(io::Error::new(ErrorKind::NotFound, reason)))
            }
            Err(source) => Err(self.unwritten(source)),
        }
    }

    fn unwritten(&self, source: io::Error) -> Error {
        Error::Unwritten {
            path: self.path.clone(),
            recorded: self.content.recorded.len() - self.content.missing,
            points: self.content.recorded.len(),
            source,
        }
    }
}

impl<const D: usize> Content<D> {
    /// Reads a file's bytes: content, the version that wrote it, and the length up to which it is
    /// sound.
    fn read(bytes: &[u8], path: &Path) -> Result<(Self, String, usize), Error> {
        let damaged = |damage: Damage| damage.of(path);
        let header = header::read::<D>(bytes).map_err(|refused| match refused {
            Refused::Damaged(damage) => damaged(damage),
            Refused::Axes(found) => Error::AnotherSlice {
                path: path.to_owned(),
                differences: format!("the grid (number of axes {D} here, {found} in the file)"),
            },
        })?;
        let points = header.identity.points();
        let count = header.identity.quantities.len();
        let mut content = Self {
            values: vec![f64::NAN; points * count],
            recorded: vec![false; points],
            missing: points,
            identity: header.identity,
        };
        let records = &bytes[header.length..];
        record::decode(records, header.length, count, points, |index, values| {
            if content.recorded[index] {
                return content
                    .fits(index, &values)
                    .map_err(|_| format!("gives point {index} other values than one before"));
            }
            content.record(index, &values);
            Ok(())
        })
        .map_err(damaged)?;
        let torn = records.len() % record::length(count);
        Ok((content, header.version, bytes.len() - torn))
    }

    fn of(&self, index: usize) -> &[f64] {
        let count = self.identity.quantities.len();
        &self.values[index * count..(index + 1) * count]
    }

    /// Checks that a point may be recorded with these values.
    fn fits(&self, index: usize, values: &[f64]) -> Result<(), Error> {
        let wrong = |name, value, allowed| {
            Err(Error::Slice {
                name,
                value,
                allowed,
            })
        };
        let (points, count) = (self.recorded.len(), self.identity.quantities.len());
        if index >= points {
            let value = format!("{index} of {points}");
            return wrong("a point's index", value, "below the number of points");
        }
        if values.len() != count {
            let value = format!("{} for {count} quantities", values.len());
            return wrong(
                "the number of a point's values",
                value,
                "one for each quantity",
            );
        }
        let same = |(own, other): (&f64, &f64)| own.to_bits() == other.to_bits();
        if self.recorded[index] && !self.of(index).iter().zip(values).all(same) {
            let value = format!(
                "{values:?} for point {index}, recorded as {:?}",
                self.of(index)
            );
            return wrong("a value", value, "the one that is recorded");
        }
        Ok(())
    }

    fn record(&mut self, index: usize, values: &[f64]) {
        let count = self.identity.quantities.len();
        self.values[index * count..(index + 1) * count].copy_from_slice(values);
        self.recorded[index] = true;
        self.missing -= 1;
    }

    fn samples(&self) -> Samples {
        let count = self.identity.quantities.len();
        let values = |k: usize| self.values.iter().skip(k).step_by(count).copied().collect();
        let columns = self.identity.quantities.iter().enumerate();
        let quantities = columns.map(|(k, name)| (name.as_str(), values(k)));
        let about = [
            ("normalisation", &self.identity.normalisation),
            ("evaluation", &self.identity.evaluation),
        ];
        let filled = about.into_iter().filter(|(_, text)| !text.is_empty());
        filled.fold(
            Samples::on_grid(self.identity.axes.to_vec(), quantities)
                .with_recorded(self.recorded.clone()),
            |samples, (name, text)| samples.with_note(name, text.as_str()),
        )
    }
}

/// A file under the lock of this process, which ends with it.
#[derive(Debug)]
struct Locked(File);

impl Locked {
    /// Opens a file, which is made where there is none, and locks it.
    fn open(path: &Path) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| failed("create", folder, source))?;
        }
        loop {
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .open(path)
                .map_err(|source| failed("open", path, source))?;
            match file.try_lock() {
                Ok(()) => {
                    let file = Self(file);
                    // Somebody may have removed it since it was opened; then the lock keeps nobody
                    // out.
                    let in_place = is_in_place(&file.0, path);
                    if in_place.map_err(|source| failed("look at", path, source))? {
                        return Ok(file);
                    }
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy {
                        path: path.to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(failed("lock", path, source)),
            }
        }
    }
}

impl Drop for Locked {
    /// Gives the lock back. Closing the file does not: a child that another thread has just begun
    /// to start has a copy of the file until it runs its program, and the lock with it.
    fn drop(&mut self) {
        // Where it fails, the end of the process gives it back.
        let _ = self.0.unlock();
    }
}

/// Writes the first line, and waits until it and the name of the file are on the disk.
fn begin(file: &mut File, path: &Path, line: &[u8]) -> Result<(), Error> {
    let mut written = || -> io::Result<()> {
        file.set_len(0)?;
        write_whole(file, line).map_err(|(_, error)| error)?;
        sync(file)?;
        match path.parent() {
            Some(folder) if cfg!(unix) && !folder.as_os_str().is_empty() => {
                sync(&File::open(folder)?)
            }
            _ => Ok(()),
        }
    };
    written().map_err(|source| failed("write to", path, source))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}

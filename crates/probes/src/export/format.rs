//! The formats by name.

use std::io::Write as _;
use std::path::Path;

use super::{Samples, csv, json, npz, vtk};
use crate::Error;
use crate::disk::{replace, sync};

/// A format in which samples can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values: [`csv()`](super::csv()).
    Csv,
    /// JSON: [`json()`](super::json()).
    Json,
    /// NumPy: [`npz`](super::npz).
    Npz,
    /// VTK, the first quantity as height: [`vtk()`](super::vtk()).
    Vtk,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Json, Self::Npz, Self::Vtk];

    /// Returns the ending of the names of files in this format, without a dot.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Npz => "npz",
            Self::Vtk => "vtk",
        }
    }

    /// Returns the format that a file's name ends with, whatever the case.
    ///
    /// # Errors
    /// [`Error::Slice`] for another ending.
    ///
    /// # Examples
    /// ```
    /// use probes::export::Format;
    /// assert_eq!(Format::of_path("surface.npz")?, Format::Npz);
    /// # Ok::<(), probes::Error>(())
    /// ```
    pub fn of_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        Self::ALL
            .into_iter()
            .find(|format| ending.eq_ignore_ascii_case(format.ending()))
            .ok_or_else(|| Error::Slice {
                name: "the ending of the file to export to",
                value: format!("{ending:?} in `{}`", path.display()),
                allowed: "csv, json, npz or vtk",
            })
    }

    /// Returns the content of a file in this format.
    ///
    /// # Errors
    /// [`Error::Slice`] for samples whose lengths or names do not fit.
    pub fn bytes(self, samples: &Samples) -> Result<Vec<u8>, Error> {
        Ok(match self {
            Self::Csv => csv(samples)?.into_bytes(),
            Self::Json => format!("{:#}\n", json(samples)?).into_bytes(),
            Self::Npz => npz(samples)?,
            Self::Vtk => vtk(samples, None)?,
        })
    }
}

/// Writes samples to a file, in the format that its name ends with. It is written beside its place
/// and then moved there, so that a reader never sees half of it; a file that was there is replaced.
///
/// # Errors
/// As [`Format::of_path`] and [`Format::bytes`]; [`Error::File`] when it cannot be written.
pub fn write(samples: &Samples, path: impl AsRef<Path>) -> Result<(), Error> {
    let path = path.as_ref();
    let bytes = Format::of_path(path)?.bytes(samples)?;
    replace(path, |file| {
        file.write_all(&bytes)?;
        sync(file)
    })
    .map_err(|source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

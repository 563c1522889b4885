//! Lines that stand in a file or stream whole or not at all, as far as it allows.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, ErrorKind};
use std::io::{Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::disk::{cut, is_at, replace, write_whole};

/// A file or stream that takes lines.
pub(super) struct Lines {
    output: Output,
    /// Whether it ends within a line, which the next one ends first.
    unended: bool,
}

enum Output {
    File(File),
    Stream(Box<dyn Write + Send>),
}

impl Lines {
    /// Creates a file that must not exist.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)?;
        Ok(Self {
            output: Output::File(file),
            unended: false,
        })
    }

    /// Opens a file that may exist. A last line without an end is ended.
    pub(super) fn append(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != [b'\n'] {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self {
            output: Output::File(file),
            unended: false,
        })
    }

    /// Opens a file that may exist, without the lines that are not kept and without a last line
    /// that has no end. They are left out in a copy, which then takes the place of the file.
    pub(super) fn resume(path: &Path, keep: impl Fn(&[u8]) -> bool) -> io::Result<Self> {
        let old = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Self::append(path),
            Err(error) => return Err(error),
        };
        replace(path, |copy| {
            let mut input = BufReader::new(old);
            let mut output = BufWriter::new(copy);
            // Bytes, because a line may have been cut within a character.
            let mut line = Vec::new();
            while input.read_until(b'\n', &mut line)? > 0 {
                if line.ends_with(b"\n") && keep(&line) {
                    output.write_all(&line)?;
                }
                line.clear();
            }
            output.into_inner()?.sync_all()
        })?;
        Self::append(path)
    }

    /// Wraps a stream.
    pub(super) fn stream(stream: impl Write + Send + 'static) -> Self {
        Self {
            output: Output::Stream(Box::new(stream)),
            unended: false,
        }
    }

    /// Writes a line, given without its end.
    ///
    /// After a failure the line is not there, or a piece of it is, which stands on a line of its
    /// own.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        let before = usize::from(self.unended);
        let text = format!("{}{line}\n", if self.unended { "\n" } else { "" });
        let written = match &mut self.output {
            Output::File(file) => write_whole(file, text.as_bytes()),
            Output::Stream(stream) => write_pieces(stream, text.as_bytes()),
        };
        let Err((left, error)) = written else {
            self.unended = false;
            return Ok(());
        };
        if left >= before {
            self.unended = left > before;
        }
        // Where only the end is missing the line is there, and the next one ends it.
        if left + 1 == text.len() {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// Tells whether the file is still the one at `path`; true for a stream.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        match &self.output {
            Output::File(file) => is_at(file, path),
            Output::Stream(_) => true,
        }
    }

    /// Hands on what a stream has kept back.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.output {
            Output::File(_) => Ok(()),
            Output::Stream(stream) => stream.flush(),
        }
    }
}

/// Writes bytes to a stream, or tells how many were taken before the failure.
fn write_pieces(stream: &mut dyn Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut taken = 0;
    while taken < bytes.len() {
        match stream.write(&bytes[taken..]) {
            Ok(0) => return Err((taken, cut(taken, bytes))),
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err((taken, error)),
        }
    }
    Ok(())
}

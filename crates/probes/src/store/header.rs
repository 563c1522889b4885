//! The first line of a store: its format and its identity.

use serde::{Deserialize, Serialize};

use super::{Damage, Identity, VERSION};
use crate::export::Column;

/// The format that is written and read here.
pub(super) const FORMAT: &str = "landscape-slice/1";

/// The beginning of the formats of all versions.
const FORMATS: &str = "landscape-slice/";

/// The identity as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: String,
    model: String,
    directions: String,
    data: String,
    normalisation: String,
    evaluation: String,
    quantities: Vec<String>,
    axes: Vec<Column>,
}

/// Returns the first line of a store, its end included.
pub(super) fn line<const D: usize>(identity: &Identity<D>) -> String {
    let hexadecimal = |checksum: u32| format!("{checksum:08x}");
    let stored = Stored {
        version: VERSION.to_owned(),
        model: hexadecimal(identity.model),
        directions: hexadecimal(identity.directions),
        data: hexadecimal(identity.data),
        normalisation: identity.normalisation.clone(),
        evaluation: identity.evaluation.clone(),
        quantities: identity.quantities.clone(),
        axes: identity.axes.to_vec(),
    };
    let text = serde_json::to_string(&stored).expect("texts and numbers are JSON");
    format!("{FORMAT} {:08x} {text}\n", crc32c::crc32c(text.as_bytes()))
}

/// An identity that was read.
pub(super) struct Header<const D: usize> {
    pub(super) identity: Identity<D>,
    /// The version of this crate that wrote it.
    pub(super) version: String,
    /// The bytes of the line, its end included.
    pub(super) length: usize,
}

/// A first line that cannot be taken.
pub(super) enum Refused {
    /// It is damaged, or none of this format.
    Damaged(Damage),
    /// It has so many axes, and others were asked for.
    Axes(usize),
}

/// Reads the first line of a store.
pub(super) fn read<const D: usize>(bytes: &[u8]) -> Result<Header<D>, Refused> {
    let damaged = |what: String| Refused::Damaged(Damage { what, sound: None });
    if !bytes.starts_with(FORMATS.as_bytes()) {
        return Err(damaged("it does not begin as a stored slice does".into()));
    }
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| damaged("its first line has no end".into()))?;
    let line = std::str::from_utf8(&bytes[..end]);
    let line = line.map_err(|_| damaged("its first line is no text".into()))?;
    let mut parts = line.splitn(3, ' ');
    let (format, checksum, text) = (parts.next(), parts.next(), parts.next());
    if format != Some(FORMAT) {
        let format = format.unwrap_or_default();
        let what = format!("it has the format {format:?}, and this program reads {FORMAT:?}");
        return Err(damaged(what));
    }
    let text = text.unwrap_or_default();
    if checksum != Some(&format!("{:08x}", crc32c::crc32c(text.as_bytes()))[..]) {
        return Err(damaged("its first line does not have its checksum".into()));
    }
    let strange = |reason: String| damaged(format!("its first line is no identity: {reason}"));
    let stored: Stored = serde_json::from_str(text).map_err(|error| strange(error.to_string()))?;
    let number = |text: &str| u32::from_str_radix(text, 16).map_err(|e| strange(e.to_string()));
    let axes = <[Column; D]>::try_from(stored.axes).map_err(|axes| Refused::Axes(axes.len()))?;
    let identity = Identity {
        model: number(&stored.model)?,
        directions: number(&stored.directions)?,
        data: number(&stored.data)?,
        axes,
        quantities: stored.quantities,
        normalisation: stored.normalisation,
        evaluation: stored.evaluation,
    };
    identity
        .check()
        .map_err(|error| strange(error.to_string()))?;
    Ok(Header {
        identity,
        version: stored.version,
        length: end + 1,
    })
}

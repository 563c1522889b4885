//! The files that are compiled into the program, and the check that they are what was published.

use sha2::{Digest, Sha256};

use crate::Error;

/// A file of `datasets/data`, with the digest of its compressed bytes.
pub(crate) struct Bundled {
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) sha256: &'static str,
}

macro_rules! bundled {
    ($name:literal, $sha256:literal) => {
        Bundled {
            name: $name,
            bytes: include_bytes!(concat!("../data/", $name)),
            sha256: $sha256,
        }
    };
}

pub(crate) const DIGITS: Bundled = bundled!(
    "digits.csv.gz",
    "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
);
pub(crate) const MNIST_TRAIN_IMAGES: Bundled = bundled!(
    "mnist-train-images.idx.gz",
    "36707bfd63bcc1baf911512db8f40af1940d9fc513cb862f99741a994da05181"
);
pub(crate) const MNIST_TRAIN_LABELS: Bundled = bundled!(
    "mnist-train-labels.idx.gz",
    "ddb336c35d26d6499f325832214cfd852954d037817de7f291d8e80ad0912b32"
);
pub(crate) const MNIST_TEST_IMAGES: Bundled = bundled!(
    "mnist-test-images.idx.gz",
    "74533fb890e3bad361d9e017c363d263b51060a0d3ccccd54740633cf2918c31"
);
pub(crate) const MNIST_TEST_LABELS: Bundled = bundled!(
    "mnist-test-labels.idx.gz",
    "8a97eeec2499289d406fd55fec117adc391bee47c640be5bf30c340a8de72fa5"
);

impl Bundled {
    /// The compressed bytes, once their digest has been checked.
    pub(crate) fn checked(&self) -> Result<&'static [u8], Error> {
        let found: String = Sha256::digest(self.bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if found == self.sha256 {
            Ok(self.bytes)
        } else {
            Err(Error::Checksum {
                file: self.name.to_owned(),
                expected: self.sha256.to_owned(),
                found,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_refused_with_both_digests() {
        let changed = Bundled {
            bytes: b"not the digits",
            ..DIGITS
        };
        let message = changed.checked().unwrap_err().to_string();
        assert!(
            message.contains("digits.csv.gz") && message.contains(DIGITS.sha256),
            "{message}"
        );
        // sha256sum's digest of the same bytes.
        assert!(
            message.contains("bc9e439a945b9624d3beb454d953b735b333133d510d29ddc3ce071d285f64cc"),
            "{message}"
        );
    }
}

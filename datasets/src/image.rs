//! A labelled picture, and a set of them.

use burn::data::dataset::{Dataset, DatasetError};

/// One labelled grey picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Brightness in 0..=1, row by row: `height * width` values.
    pub pixels: Vec<f32>,
    /// The class, 0..`classes`.
    pub label: u8,
}

/// Labelled pictures of one size, held in memory.
///
/// It is a Burn [`Dataset`], so a data loader takes it directly; `len` and `is_empty` are also here
/// so that the trait need not be in scope.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageDataset {
    /// The pictures, in the order of the source.
    pub images: Vec<Image>,
    /// Rows of each picture, in pixels.
    pub height: usize,
    /// Columns of each picture, in pixels.
    pub width: usize,
    /// Number of classes; labels are smaller.
    pub classes: usize,
}

impl ImageDataset {
    /// Number of pictures.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Returns whether there is no picture.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The number of pictures of each class, `classes` numbers that sum to [`len`](Self::len).
    ///
    /// The split is drawn without regard to the classes; these counts show how even it came out.
    ///
    /// # Examples
    /// ```
    /// let digits = datasets::Digits::load()?;
    /// assert_eq!(
    ///     digits.images.class_counts(),
    ///     [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    /// );
    /// # Ok::<(), datasets::Error>(())
    /// ```
    #[must_use]
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for image in &self.images {
            counts[usize::from(image.label)] += 1;
        }
        counts
    }

    /// The pictures at `indices`, copied in that order: a smaller set of the same kind.
    ///
    /// # Panics
    /// If an index is not smaller than [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let images = indices
            .iter()
            .map(|&index| self.image(index).clone())
            .collect();
        Self { images, ..*self }
    }

    /// The picture at `index`, with both numbers in the panic if there is none.
    pub(crate) fn image(&self, index: usize) -> &Image {
        assert!(
            index < self.len(),
            "index {index} of a dataset of {} images",
            self.len()
        );
        &self.images[index]
    }
}

impl Dataset<Image> for ImageDataset {
    fn get(&self, index: usize) -> Result<Image, DatasetError> {
        Ok(self.image(index).clone())
    }

    fn len(&self) -> usize {
        self.images.len()
    }
}

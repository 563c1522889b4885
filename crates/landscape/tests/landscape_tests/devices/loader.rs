//! Data loaders of batches that are there already.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

/// Something that notices that it is read.
pub(crate) trait Counted: Clone + Send + Sync + 'static {
    fn read(&self);
}

/// A loader whose batches notice that they are read.
pub(crate) struct Counting<B>(pub(crate) Vec<B>);

/// A loader of these batches.
pub(crate) struct Fixed<B>(pub(crate) Vec<B>);

struct Iter<B>(std::vec::IntoIter<B>, fn(&B));

impl<B> Iterator for Iter<B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.0.next()?;
        (self.1)(&batch);
        Some(Ok(batch))
    }
}

impl<B> DataLoaderIterator<B> for Iter<B> {
    fn progress(&self) -> Progress {
        Progress::new(0, self.0.len(), None)
    }
}

impl<B: Clone + Send + Sync + 'static> DataLoader<B> for Fixed<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        Box::new(Iter(self.0.clone().into_iter(), |_| ()))
    }

    fn num_items(&self) -> usize {
        self.0.len()
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self(self.0.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self(self.0[start..end].to_vec()))
    }
}

impl<B: Counted> DataLoader<B> for Counting<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        Box::new(Iter(self.0.clone().into_iter(), B::read))
    }

    fn num_items(&self) -> usize {
        self.0.len()
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self(self.0.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self(self.0[start..end].to_vec()))
    }
}

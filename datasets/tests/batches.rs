//! Batches hold the right images, in the right type, once each.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use burn::data::dataloader::DataLoaderBuilder;
use burn::tensor::{DType, Device};
use datasets::{
    Digits, Error, ImageBatch, ImageBatcher, ImageDataset, batch, batches, epoch_order,
};

fn digits() -> ImageDataset {
    Digits::load().unwrap().images
}

fn pixels(batch: &ImageBatch) -> Vec<f64> {
    batch.images.clone().into_data().iter::<f64>().collect()
}

fn labels(batch: &ImageBatch) -> Vec<i64> {
    batch.labels.clone().into_data().iter::<i64>().collect()
}

fn expected(digits: &ImageDataset, indices: &[usize]) -> (Vec<f64>, Vec<i64>) {
    let images = indices.iter().map(|&index| &digits.images[index]);
    let labels = images.clone().map(|image| i64::from(image.label)).collect();
    (
        images
            .flat_map(|image| &image.pixels)
            .map(|&pixel| f64::from(pixel))
            .collect(),
        labels,
    )
}

#[test]
fn a_batch_holds_the_chosen_images_in_the_chosen_order() {
    let (digits, device) = (digits(), Device::flex());
    let indices = [1796, 0, 5, 5];
    for (batch, dtype) in [
        (batch(&digits, &indices, &device), DType::F32),
        (batch(&digits, &indices, (&device, DType::F64)), DType::F64),
    ] {
        assert_eq!(batch.images.dims(), [4, 1, 8, 8]);
        assert_eq!(batch.images.dtype(), dtype);
        // Sixteenths are exact in both types.
        assert_eq!(
            (pixels(&batch), labels(&batch)),
            expected(&digits, &indices)
        );
    }
}

#[test]
fn batches_keep_every_image_once_and_in_order() {
    let (digits, device) = (digits(), Device::flex());
    let all = batches(&digits, 100, &device).unwrap();
    assert_eq!(all.len(), 18);
    assert_eq!(all[17].images.dims(), [97, 1, 8, 8]);
    let every: Vec<usize> = (0..digits.len()).collect();
    let (images, classes) = expected(&digits, &every);
    assert_eq!(all.iter().flat_map(pixels).collect::<Vec<_>>(), images);
    assert_eq!(all.iter().flat_map(labels).collect::<Vec<_>>(), classes);
    assert_eq!(batches(&digits, 5000, &device).unwrap().len(), 1);
}

#[test]
fn an_epoch_of_a_hand_written_loop_visits_every_image_once() {
    let (digits, device) = (digits(), Device::flex());
    let order = epoch_order(7, 3, digits.len());
    let seen: f64 = order
        .chunks(64)
        .map(|indices| {
            pixels(&batch(&digits, indices, &device))
                .iter()
                .sum::<f64>()
        })
        .sum();
    assert!((seen * 16.0 - 561_718.0).abs() < f64::EPSILON);
}

#[test]
fn a_burn_data_loader_takes_dataset_and_batcher() {
    let (digits, device) = (digits(), Device::flex());
    let loader = DataLoaderBuilder::new(ImageBatcher::of(&digits).with_dtype(DType::F64))
        .batch_size(500)
        .set_device(device.clone())
        .build(digits.clone());
    let batches: Vec<ImageBatch> = loader.iter().map(Result::unwrap).collect();
    assert_eq!(
        batches
            .iter()
            .map(|batch| batch.images.dims()[0])
            .collect::<Vec<_>>(),
        [500, 500, 500, 297]
    );
    assert!(
        batches
            .iter()
            .all(|batch| batch.images.dtype() == DType::F64)
    );
    let first: Vec<usize> = (0..500).collect();
    assert_eq!(
        (pixels(&batches[0]), labels(&batches[0])),
        expected(&digits, &first)
    );
}

#[test]
fn a_batch_of_nothing_is_refused() {
    let (digits, device) = (digits(), Device::flex());
    assert!(matches!(
        batches(&digits, 0, &device),
        Err(Error::BatchSize)
    ));
    let empty = digits.select(&[]);
    assert!(empty.is_empty());
    assert!(matches!(
        batches(&empty, 8, &device),
        Err(Error::Empty { .. })
    ));
}

#[test]
#[should_panic(expected = "index 1797 of a dataset of 1797 images")]
fn an_index_past_the_end_is_named() {
    let _ = batch(&digits(), &[0, 1797], &Device::flex());
}

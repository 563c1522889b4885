//! Tests of `landscape` from outside, one module for each subject, in one binary.

mod activations;
mod alignment;
mod closures;
mod connectivity;
mod critical;
mod devices;
mod direction;
mod examples;
mod fallback;
mod guards;
mod hessian;
mod parameters;
mod per_example;
mod products;
mod restricted;
mod risk;
mod search;
mod sharpness;
mod slice;
mod stability;
mod trajectory;
mod weights;

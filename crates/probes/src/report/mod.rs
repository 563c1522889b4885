//! One page of HTML that shows what runs recorded: settings, findings, curves, spectra, contours,
//! and surfaces that one can turn.
//!
//! The page is one file and asks for nothing from elsewhere: no network, no fonts, no library. It
//! follows the light or dark theme of the reader's system, fits a phone, and prints. Without
//! JavaScript the pictures stand still and the rest is there.
//!
//! ```
//! use probes::report::{Page, Run};
//! use probes::{Record, Value};
//!
//! let loss = |step: u64| Record {
//!     tag: "loss/train".into(),
//!     step,
//!     value: Value::Scalar(1.0 / (1.0 + step as f64)),
//! };
//! let records: Vec<Record> = (0..100).map(loss).collect();
//! let page = Page::new().with(Run::from_records("mine", &records));
//! let html = page.html();
//! assert!(html.contains("<title>mine</title>"));
//! // page.write("report.html")?;
//! ```

mod axis;
mod chart;
mod curves;
mod folder;
mod html;
mod image;
mod markdown;
mod meshes;
mod page;
mod program;
mod run;
mod settings;
mod shapes;
mod slices;

pub use page::Page;
pub use run::Run;

//! Drawings as their pixels.

use super::*;
use crate::color::{BLACK, WHITE};

/// The pixels of a picture, for tests of what is drawn.
pub(crate) struct Pixels(resvg::tiny_skia::Pixmap);

impl Pixels {
    pub(crate) fn of(svg: &str) -> Self {
        let (width, height) = raster::size(svg).unwrap();
        Self(raster::pixels(svg, width, height).unwrap())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a pixel of the picture"
    )]
    pub(crate) fn at(&self, (x, y): Point) -> Color {
        let pixel = self.0.pixel(x as u32, y as u32).unwrap();
        [pixel.red(), pixel.green(), pixel.blue()]
    }
}

fn drawn(draw: impl FnOnce(&mut Drawing)) -> Pixels {
    let mut drawing = Drawing::new(300, 300, Theme::Light).unwrap();
    draw(&mut drawing);
    Pixels::of(&drawing.into_svg(""))
}

#[test]
fn a_stroke_is_as_wide_as_asked() {
    let pixels = drawn(|drawing| {
        let mut path = Path::new();
        path.line(&[(50.0, 100.0), (200.0, 100.0)]);
        drawing.stroke(path, 4.0, [0, 0, 0], Ends::Cut);
    });
    // Rows 98 to 101, columns 50 to 199.
    for (x, y, color) in [
        (50.5, 98.5, [0; 3]),
        (199.5, 101.5, [0; 3]),
        (100.5, 97.5, WHITE),
        (100.5, 102.5, WHITE),
        (49.5, 100.5, WHITE),
        (200.5, 100.5, WHITE),
    ] {
        assert_eq!(pixels.at((x, y)), color, "({x}, {y})");
    }
}

#[test]
fn hatching_has_both_greys_and_nothing_else_but_their_mixtures() {
    let pixels = drawn(|drawing| drawing.hatch(Rect::of_size(300.0, 300.0)));
    let [light, dark] = Theme::Light.palette().hatch;
    let mut seen = [false; 2];
    for x in 0..300 {
        let color = pixels.at((f64::from(x), 150.0));
        assert!(color.iter().all(|c| (dark[0]..=light[0]).contains(c)));
        seen = [seen[0] | (color == light), seen[1] | (color == dark)];
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn the_map_of_colours_grows_from_the_bottom_to_the_top() {
    let pixels = drawn(|drawing| drawing.fill_with_map(Rect::of_size(300.0, 300.0)));
    for row in [0, 1, 75, 150, 225, 299] {
        let share = 1.0 - (f64::from(row) + 0.5) / 300.0;
        let found = pixels.at((10.0, f64::from(row)));
        for (found, wanted) in found.into_iter().zip(viridis(share)) {
            assert!(found.abs_diff(wanted) <= 2, "row {row}");
        }
    }
}

/// The rows and columns between which there is ink.
fn inked(pixels: &Pixels) -> [i32; 4] {
    let is_ink = |x: i32, y: i32| pixels.at((f64::from(x), f64::from(y)))[0] < 145;
    let any = |line: &dyn Fn(i32, i32) -> bool| {
        let mut hits = (0..300).filter(|k| (0..300).any(|other| line(*k, other)));
        let first = hits.next().unwrap();
        (first, hits.last().unwrap_or(first))
    };
    let (top, bottom) = any(&|y, x| is_ink(x, y));
    let (left, right) = any(&|x, y| is_ink(x, y));
    [left, top, right, bottom]
}

#[test]
fn a_capital_reaches_from_the_baseline_to_its_stated_height() {
    let style = Lettering::new(60.0, Align::Start, Align::End);
    let pixels = drawn(|drawing| drawing.text("H", (100.0, 200.0), style));
    let [_, top, _, bottom] = inked(&pixels);
    // The stroke adds half of its width at either end; a pixel of rounding.
    assert!(bottom.abs_diff(199) <= 1, "{bottom}");
    let height = f64::from(bottom - top + 1);
    assert!(
        (height - (CAPITAL + BOLDER) * 60.0).abs() <= 1.5,
        "{height}"
    );
}

#[test]
fn alignment_says_which_part_of_a_text_lies_at_its_point() {
    for (along, across) in [
        (Align::Start, Align::Start),
        (Align::Middle, Align::Middle),
        (Align::End, Align::End),
    ] {
        for upwards in [false, true] {
            let mut style = Lettering::new(40.0, along, across);
            style.angle = if upwards { -90.0 } else { 0.0 };
            let pixels = drawn(|drawing| drawing.text("HHH", (150.0, 150.0), style));
            let [left, top, right, bottom] = inked(&pixels);
            // From the point, in the direction of writing and downwards from it.
            let (start, end, high, low) = if upwards {
                (150 - bottom, 150 - top, left - 150, right - 150)
            } else {
                (left - 150, right - 150, top - 150, bottom - 150)
            };
            let middle = |from: i32, to: i32| f64::from(from + to) / 2.0;
            let (along_at, across_at) = match along {
                Align::Start => (f64::from(start), f64::from(high)),
                Align::Middle => (middle(start, end), middle(high, low)),
                Align::End => (f64::from(end), f64::from(low)),
            };
            // The side bearing of an H is a tenth of the size.
            assert!(along_at.abs() <= 5.0, "{along:?} {upwards}: {along_at}");
            assert!(across_at.abs() <= 2.0, "{across:?} {upwards}: {across_at}");
        }
    }
}

#[test]
fn texts_of_any_letters_give_a_document_that_can_be_read() {
    let odd = "a<b & \"c\" > 'd' \u{0}\u{1b}\u{ffff} ]]> \u{202e}عربي 🙂";
    let mut drawing = Drawing::new(300, 300, Theme::Light).unwrap();
    drawing.text(
        odd,
        (10.0, 50.0),
        Lettering::new(20.0, Align::Start, Align::End),
    );
    let svg = drawing.into_svg(odd);
    assert!(svg.contains("a&lt;b &amp; "));
    assert_eq!(Pixels::of(&svg).at((0.0, 0.0)), WHITE);
}

#[test]
fn no_picture_depends_on_the_fonts_of_the_machine() {
    let style = Lettering::new(40.0, Align::Start, Align::End);
    let text = drawn(|drawing| drawing.text("Loss λ", (10.0, 100.0), style));
    let row = (0..300).map(|x| text.at((f64::from(x), 90.0)));
    assert!(row.into_iter().any(|color| color == BLACK));
}

#[test]
fn sizes_outside_the_limits_are_errors() {
    for (width, height) in [(10, 400), (400, u32::MAX)] {
        let refused = Drawing::new(width, height, Theme::Light).err();
        assert!(matches!(refused, Some(Error::PictureSize { .. })));
    }
}

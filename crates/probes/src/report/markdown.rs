//! Markdown as HTML that cannot do harm: no markup of its own, no pictures from elsewhere, no
//! addresses but those of pages.

use markdown::{CompileOptions, Constructs, Options, ParseOptions};

use super::html::escape;

/// Returns markdown (CommonMark, with tables and struck-out text) as HTML.
///
/// HTML in it stands as text, a picture as a link with its description, and a link whose address
/// could run something as a link to nowhere: the report asks for nothing from elsewhere.
pub(super) fn html_of(text: &str) -> String {
    let options = Options {
        parse: ParseOptions {
            constructs: Constructs {
                // Markup that is not parsed is escaped as text.
                html_flow: false,
                html_text: false,
                label_start_image: false,
                gfm_strikethrough: true,
                gfm_table: true,
                ..Constructs::default()
            },
            ..ParseOptions::default()
        },
        compile: CompileOptions {
            allow_dangerous_html: false,
            allow_dangerous_protocol: false,
            ..CompileOptions::default()
        },
    };
    let Ok(html) = markdown::to_html_with_options(text, &options) else {
        // Only MDX, which is not used, has syntax errors.
        return format!("<pre>{}</pre>", escape(text));
    };
    let mut html = html
        // Wide tables scroll by themselves, not with the page.
        .replace("<table>", "<div class=\"wide\"><table>")
        .replace("</table>", "</table></div>");
    // Headings of a text stand below those of the page.
    for (level, lower) in [(3, 6), (2, 5), (1, 4)] {
        html = html
            .replace(&format!("<h{level}>"), &format!("<h{lower}>"))
            .replace(&format!("</h{level}>"), &format!("</h{lower}>"));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_pictures_and_scripts_of_a_text_do_nothing() {
        let html = html_of(
            "# A\n<script>alert(1)</script>\n\nx <img src=x onerror=alert(1)> ![a picture](https://a.b/c.png) [go](javascript:alert(1)) [page](https://a.b)",
        );
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.contains("href=\"javascript"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(html.contains("a picture"), "{html}");
        assert!(html.contains("<a href=\"https://a.b\">page</a>"), "{html}");
        assert!(html.contains("<h4>A</h4>"), "{html}");
    }

    #[test]
    fn tables_scroll_by_themselves() {
        let html = html_of("| a | b |\n|---|---|\n| 1 | `x` |");
        assert!(html.contains("<div class=\"wide\"><table>"), "{html}");
        assert!(html.contains("<code>x</code>"), "{html}");
    }
}

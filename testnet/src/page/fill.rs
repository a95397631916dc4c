//! Putting text and data into a template so that neither can be taken for the other.

use serde::Serialize;

/// Puts the values where the template names them, as `{{name}}`. What a value holds is not looked
/// at again.
///
/// # Panics
///
/// When the template names what there is no value for: templates are part of the program.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("every {{ has its }}");
        let value = values.iter().find(|value| value.0 == name);
        page += before;
        page += value.unwrap_or_else(|| panic!("no value for {name}")).1;
        rest = after;
    }
    page + rest
}

/// Text as it stands between tags or in a quoted attribute.
pub(super) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// Data as JSON that can stand in a script element: without `<`, nothing in it ends the element or
/// begins a comment.
///
/// # Panics
///
/// When the data cannot be JSON: it is plain data throughout.
pub(super) fn json_for_script(data: &impl Serialize) -> String {
    let json = serde_json::to_string(data).expect("plain data serialises");
    json.replace('<', "\\u003c")
}

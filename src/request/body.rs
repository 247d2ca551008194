//! A request's body, for the data guard alone: request guards cannot read bodies.

use rocket::futures::FutureExt;
use rocket::http::ContentType;

/// A request's body, read.
pub(crate) struct Body<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) content_type: Option<&'a ContentType>,
}

/// `application/json`, and types with the suffix `+json` (RFC 6839 §3.1).
pub(crate) fn is_json(content_type: &ContentType) -> bool {
    let sub = content_type.sub();
    content_type.top() == "application"
        && (sub == "json" || sub.as_str().to_ascii_lowercase().ends_with("+json"))
}

impl Body<'_> {
    /// The fields of a form, urlencoded or multipart, that are text.
    pub(crate) fn form_fields(&self) -> Option<Vec<(String, String)>> {
        let content_type = self.content_type?;
        if content_type.is_form() {
            Some(form_urlencoded::parse(self.bytes).into_owned().collect())
        } else if content_type.is_form_data() {
            self.multipart_fields(content_type)
        } else {
            None
        }
    }

    /// A form field's value, if there is exactly one of that name.
    pub(crate) fn form_field(&self, name: &str) -> Option<String> {
        let mut values = self.form_fields()?.into_iter().filter(|(n, _)| n == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    fn multipart_fields(&self, content_type: &ContentType) -> Option<Vec<(String, String)>> {
        let boundary = content_type.param("boundary")?;
        let bytes = rocket::futures::stream::iter([Ok::<_, std::io::Error>(self.bytes.to_vec())]);
        let mut form = multer::Multipart::new(bytes, boundary);
        // Everything is in memory, so the first poll completes.
        async {
            let mut fields = Vec::new();
            while let Some(field) = form.next_field().await.ok()? {
                let is_file = field.file_name().is_some();
                let name = field.name().map(ToString::to_string);
                let value = field.text().await.ok()?;
                if let (Some(name), false) = (name, is_file) {
                    fields.push((name, value));
                }
            }
            Some(fields)
        }
        .now_or_never()?
    }
}

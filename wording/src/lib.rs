//! What is written to clients: daybook's own words, or those of a tenant.
//!
//! * [`Said`]: what there is to say, all of it; [`examples`]: some of that, by which words are tried.
//! * [`own`]: daybook's words. [`Template`]: a tenant's, and the [`Fault`]s that they can have.
//!
//! Nothing is read or sent here: whoever writes hands over what is to be said, and sends what is [`Written`].

mod examples;
mod html;
mod own;
mod said;
mod template;

pub use examples::{example, examples};
pub use own::own;
pub use said::Said;
pub use template::{
    Fault, MAX_OUTPUT_BYTES, MAX_TEMPLATE_BYTES, Part, Place, Template, Wrong, names,
};

/// What a service is called of which nothing is known any more.
pub const UNNAMED_SERVICE: &str = "your appointment";

/// A message: its subject is one line. Some have the same for whoever reads HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

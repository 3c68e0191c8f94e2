use super::rows::by_turns;
use super::*;
use crate::testing::{House, noon};

fn key(kind: Kind, language: &str) -> TemplateKey {
    TemplateKey { kind, language: language.parse().unwrap() }
}

fn template(kind: Kind, language: &str, subject: &str) -> KeptTemplate {
    let text = TemplateText { subject: subject.into(), text: "A text".into(), html: None };
    KeptTemplate {
        key: key(kind, language),
        text,
        changed: Changed { by: "me".into(), at: noon() },
    }
}

#[test]
fn a_language_is_a_tag_or_the_default() {
    assert_eq!("default".parse(), Ok(TemplateLanguage::Default));
    let brazilian = TemplateLanguage::Of(Language::new("pt-br").unwrap());
    assert_eq!("pt-BR".parse(), Ok(brazilian));
    for bad in ["", "defaults", "Default", "nb_NO"] {
        assert!(bad.parse::<TemplateLanguage>().is_err(), "{bad}");
    }
}

#[test]
fn a_template_is_looked_for_from_the_narrowest_language_to_the_default() {
    let tag = Language::new("zh-hant-tw").unwrap();
    assert_eq!(by_turns(Some(&tag)), ["zh-hant-tw", "zh-hant", "zh", "default"]);
    assert_eq!(by_turns(None), ["default"]);
}

#[tokio::test]
async fn a_client_is_written_in_their_language_or_else_by_the_default() {
    let house = House::new().await;
    let (templates, tenant) = (Templates::new(&house.log()), &house.tenant);
    let used = async |language: Option<&str>| {
        let language = language.map(|tag| Language::new(tag).unwrap());
        let used = templates.for_client(tenant, Kind::Reminder, language.as_ref()).await.unwrap();
        used.map(|template| template.text.subject)
    };
    assert_eq!(used(Some("nb")).await, None);
    for (language, subject) in [("nb", "Norsk"), ("pt", "Português"), ("default", "English")] {
        let new = template(Kind::Reminder, language, subject);
        templates.put(tenant, new, |before| before.is_none()).await.unwrap();
    }
    let other = template(Kind::Change, "sv", "Svenska");
    templates.put(tenant, other, |_| true).await.unwrap();
    for (language, subject) in [
        (Some("nb"), "Norsk"),
        (Some("pt-br"), "Português"),
        (Some("sv"), "English"),
        (None, "English"),
    ] {
        assert_eq!(used(language).await.as_deref(), Some(subject), "{language:?}");
    }
    let default = key(Kind::Reminder, "default");
    templates.remove(tenant, &default, noon()).await.unwrap().unwrap();
    assert_eq!(used(Some("sv")).await, None);
    assert_eq!(templates.remove(tenant, &default, noon()).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_not_seen_is_not_replaced() {
    let house = House::new().await;
    let (templates, tenant) = (Templates::new(&house.log()), &house.tenant);
    let first = template(Kind::Offer, "nb", "One");
    let first = templates.put(tenant, first, |_| true).await.unwrap();
    let refused =
        templates.put(tenant, template(Kind::Offer, "nb", "Two"), |before| before.is_none());
    assert!(matches!(refused.await, Err(TemplateError::Outdated)));
    let found = templates.find(tenant, &first.key).await.unwrap();
    assert_eq!(found.as_ref(), Some(&first));
    let is_first = |before: Option<&KeptTemplate>| before == Some(&first);
    templates.put(tenant, template(Kind::Offer, "nb", "Two"), is_first).await.unwrap();
}

#[tokio::test]
async fn a_tenant_has_so_many_and_each_change_is_on_record() {
    let house = House::new().await;
    let (templates, tenant) = (Templates::new(&house.log()), &house.tenant);
    for n in 0..MAX_TEMPLATES {
        let language = format!("nb-{n}");
        templates.put(tenant, template(Kind::Offer, &language, "One"), |_| true).await.unwrap();
    }
    let one_more = templates.put(tenant, template(Kind::Offer, "nb", "One"), |_| true).await;
    assert!(matches!(one_more, Err(TemplateError::TooMany)));
    // What is there can be replaced.
    templates.put(tenant, template(Kind::Offer, "nb-0", "Two"), |_| true).await.unwrap();
    templates.remove(tenant, &key(Kind::Offer, "nb-0"), noon()).await.unwrap().unwrap();
    let entries: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_entries WHERE entry::json->>'object' = 'template offer nb-0'",
    )
    .fetch_one(&house.pool)
    .await
    .unwrap();
    assert_eq!(entries, 3, "put, put and removed");
    assert_eq!(templates.list(tenant).await.unwrap().len(), 99);
}

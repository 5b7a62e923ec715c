//! What single rules can't see: headers that one of them writes or reads and another reads otherwise, and rules that are
//! about the same.

use std::rc::Rc;

use super::{at::At, problem::shown};
use crate::{authenticate::provider::Provider, location::Location, request::HeaderName};

/// Reports every header that rules disagree about.
pub(super) fn report(at: &mut At<'_>, providers: &[Provider]) {
    for provider in providers {
        let mut at = at.index(provider.index.0);
        report_written_and_read(&mut at, provider, providers);
        report_overlapping_prefixes(&mut at, provider, providers);
        report_duplicate(&mut at, provider, providers);
    }
}

/// Two rules of one issuer are right if they are for different requests, or read different places.
fn report_duplicate(at: &mut At<'_>, provider: &Provider, providers: &[Provider]) {
    let mut earlier = providers.iter().take_while(|other| other.index != provider.index);
    let is_same = |other: &&Provider| {
        other.issuer == provider.issuer
            && other.applies_to == provider.applies_to
            && other.locations == provider.locations
    };
    if let Some(other) = earlier.clone().find(is_same) {
        let sentence = format!("`jwtRules[{}]` is for the same tokens of the same requests", other.index.0);
        at.field("issuer").warn(sentence).help("merge the two, or give each its own `match`");
    } else if let Some(other) = earlier.find(|other| other.name == provider.name) {
        let sentence = format!("{} is also the name of `jwtRules[{}]`", shown(&provider.name), other.index.0);
        at.field("name").warn(sentence).help("give each rule its own `name`, for logs and metrics");
    }
}

/// What one rule writes is taken off every request, so no rule can read tokens from it.
fn report_written_and_read(at: &mut At<'_>, provider: &Provider, providers: &[Provider]) {
    let report = |at: &mut At<'_>, header: &HeaderName| {
        if providers.iter().flat_map(headers).any(|(read, _)| read == header) {
            at.wrong(header.as_str(), "is also read for tokens").help("write to another header");
        }
    };
    if let Some(header) = &provider.output_payload {
        report(&mut at.field("outputPayloadToHeader"), header);
    }
    let mut at = at.field("outputClaimToHeaders");
    for (index, output) in provider.output_claims.iter().enumerate() {
        report(&mut at.index(index).field("header"), &output.header);
    }
}

/// The header that asks for a trace is taken off every request.
pub(super) fn report_debug_header(at: &mut At<'_>, header: &HeaderName, providers: &[Provider]) {
    let written = providers.iter().flat_map(Provider::outputs);
    let read = providers.iter().flat_map(headers).map(|(name, _)| name);
    if written.chain(read).any(|other| other == header) {
        let is_default = header.is("x-claimgate-debug");
        let another = if is_default { "x-claimgate-trace" } else { "x-claimgate-debug" };
        at.wrong(header.as_str(), "is also a header of a rule").help(format!("choose another, such as `{another}`"));
    }
}

/// Of two prefixes of which one begins the other, each would see a token where the other sees none.
fn report_overlapping_prefixes(at: &mut At<'_>, provider: &Provider, providers: &[Provider]) {
    let earlier_rules = providers.iter().take_while(|other| other.index != provider.index).flat_map(headers);
    for (index, (name, prefix)) in headers(provider).enumerate() {
        let earlier = earlier_rules.clone().chain(headers(provider).take(index));
        let overlapping = earlier.filter(|(other, _)| *other == name).map(|(_, prefix)| prefix).find(|other| {
            *other != prefix && (other.starts_with(prefix.trim_end()) || prefix.starts_with(other.trim_end()))
        });
        let Some(other) = overlapping else { continue };
        let sentence = format!(
            "the prefix {} of {} overlaps with {} before it",
            shown(prefix),
            shown(name.as_str()),
            shown(other)
        );
        let help = "read every header behind one prefix; `Bearer ` on `authorization` is the default";
        if provider.locations.iter().map(Rc::as_ref).eq(&Location::defaults()) {
            at.error(sentence).help(help);
        } else {
            at.field("fromHeaders").index(index).error(sentence).help(help);
        }
    }
}

fn headers(provider: &Provider) -> impl Iterator<Item = (&HeaderName, &str)> + Clone {
    provider.locations.iter().filter_map(|location| match location.as_ref() {
        Location::Header { name, prefix } => Some((name, prefix.as_str())),
        Location::Query { .. } | Location::Cookie { .. } => None,
    })
}

//! The mesh's trust domain and its aliases (MeshConfig). A principal of one of them is one of all, as istiod has it in
//! `pilot/pkg/security/trustdomain/bundle.go`.

/// What Istio writes for the mesh's trust domain, whatever it is called.
pub const POINTER: &str = "cluster.local";

/// The trust domain, then its aliases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustDomains(Vec<String>);

impl TrustDomains {
    /// A trust domain with its aliases.
    pub fn new(trust_domain: String, aliases: impl IntoIterator<Item = String>) -> Self {
        Self([trust_domain].into_iter().chain(aliases).collect())
    }

    /// The principals that a principal stands for. Only `<trust domain>/ns/<namespace>/sa/<account>` has a trust domain to
    /// replace, and `*` is any.
    pub fn principals(&self, principal: &str) -> Vec<String> {
        let Some((domain, path)) = parts(principal).filter(|(domain, _)| self.means(domain)) else {
            return vec![principal.to_owned()];
        };
        let mut principals: Vec<String> = Vec::new();
        for known in &self.0 {
            // A suffix that a name has stands for itself.
            let stands = domain.strip_prefix('*').is_some_and(|suffix| known.ends_with(suffix));
            let replaced = if stands { principal.to_owned() } else { format!("{known}/{path}") };
            if !principals.contains(&replaced) {
                principals.push(replaced);
            }
        }
        principals
    }

    /// The trust domains that a trust domain stands for: all, if it is one of them.
    pub fn equivalents(&self, trust_domain: &str) -> Vec<String> {
        if self.has(trust_domain) { self.0.clone() } else { vec![trust_domain.to_owned()] }
    }

    /// Whether a trust domain is one of them.
    pub fn has(&self, trust_domain: &str) -> bool {
        self.0.iter().any(|known| known == trust_domain)
    }

    /// Whether a principal begins with a trust domain that others stand beside, and is too short to be replaced.
    pub fn is_partial(&self, principal: &str) -> bool {
        let begins = principal.split_once('/').is_some_and(|(domain, _)| domain != "*" && self.means(domain));
        begins && parts(principal).is_none() && self.0 != [POINTER]
    }

    fn means(&self, domain: &str) -> bool {
        let begins = |text: &str, pattern: &str| pattern.strip_suffix('*').is_some_and(|start| text.starts_with(start));
        let ends = |text: &str, pattern: &str| pattern.strip_prefix('*').is_some_and(|end| text.ends_with(end));
        let matches = |known: &String| {
            known == domain
                || begins(domain, known)
                || begins(known, domain)
                || ends(domain, known)
                || ends(known, domain)
        };
        domain == POINTER || self.0.iter().any(matches)
    }
}

/// The trust domain of a whole principal, and what follows it.
fn parts(principal: &str) -> Option<(&str, &str)> {
    const PARTS: usize = 5;
    let (domain, path) = principal.split_once('/')?;
    (principal.split('/').count() == PARTS && domain != "*").then_some((domain, path))
}

/// Whether a principal is about Istio's `cluster.local`.
pub fn is_of_pointer(principal: &str) -> bool {
    principal.split_once('/').is_some_and(|(domain, _)| domain == POINTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_of_the_mesh_is_one_of_every_alias() {
        let mesh = TrustDomains::new("td1".into(), ["td2".into(), "old-td".into()]);
        for (principal, expected) in [
            ("td1/ns/a/sa/b", &["td1/ns/a/sa/b", "td2/ns/a/sa/b", "old-td/ns/a/sa/b"][..]),
            ("td2/ns/a/sa/b", &["td1/ns/a/sa/b", "td2/ns/a/sa/b", "old-td/ns/a/sa/b"]),
            ("cluster.local/ns/a/sa/*", &["td1/ns/a/sa/*", "td2/ns/a/sa/*", "old-td/ns/a/sa/*"]),
            ("other/ns/a/sa/b", &["other/ns/a/sa/b"]),
            ("*/ns/a/sa/b", &["*/ns/a/sa/b"]),
            ("*", &["*"]),
            ("cluster.local/*", &["cluster.local/*"]),
            ("*/sa/b", &["*/sa/b"]),
            ("*-td/ns/a/sa/b", &["td1/ns/a/sa/b", "td2/ns/a/sa/b", "*-td/ns/a/sa/b"]),
            ("td*/ns/a/sa/b", &["td1/ns/a/sa/b", "td2/ns/a/sa/b", "old-td/ns/a/sa/b"]),
        ] {
            assert_eq!(mesh.principals(principal), expected, "{principal}");
        }
        assert_eq!(mesh.equivalents("td2"), ["td1", "td2", "old-td"]);
        assert_eq!(mesh.equivalents("cluster.local"), ["cluster.local"]);
    }
}

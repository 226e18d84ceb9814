package setting

import "slices"

// The settings that decide something here. The others are only handed to
// frontends.
const (
	KeyToken         = "token"
	KeyVersion       = "version"
	KeySiteTitle     = "site_title"
	KeyAllowRegister = "allow_register"
	KeyDefaultRole   = "default_role"
	KeyMaxDevices    = "max_devices"
	KeyPasswordMin   = "password_min_length"
	KeyEvictPolicy   = "device_evict_policy"
	KeyDeviceTTL     = "device_session_ttl"
	KeySSHKeyProof   = "sshkey_add_needs_proof"
	KeySSHKeyUnused  = "sshkey_unused_days"
	KeyAPIKeyUnused  = "apikey_unused_days"
	KeyAPIKeyOff     = "apikey_unused_switch_off"
	KeySFTPBanner    = "sftp_banner"

	evictOldest      = "evict_oldest"
	publicVersion    = "v3.63.0" // clients look for "v3." in it (contract §5.29)
	defaultDeviceTTL = 86_400    // seconds
	leastPasswordMin = 8         // characters
	mostPasswordMin  = 64        // characters: everybody may choose that many
	emptyObject      = `{}`
)

// The groups, each a page of AList's settings (contract §5.26).
const (
	GroupSingle  = 0
	GroupSite    = 1
	GroupStyle   = 2
	GroupPreview = 3
	GroupGlobal  = 4
	GroupIndex   = 6
	GroupSSO     = 7
	GroupLDAP    = 8
	GroupFRP     = 12
)

// Item describes a setting.
type Item struct {
	Key     string
	Default string
	Kind    Kind
	Options []string // for Choice: what it may be
	Least   int64    // for Number with a Most: the smallest
	Most    int64    // for Number: the greatest; 0 for any
	Private bool     // not shown to everybody
	Secret  bool     // sealed at rest
	Fixed   bool     // cannot be changed
	Guard   bool     // decides how safely people sign in: not for delegated callers to change
	Help    string   // one line for the admin
	Group   int
	Index   int // place within the list of all items
}

// Kind is what a setting's text must look like.
type Kind uint8

// The kinds of setting.
const (
	Text     Kind = iota
	LongText      // of several lines
	Bool
	Number
	Choice
)

// Items lists every setting. Where the AList frontend reads a value, the
// default is the one that suits a server without files.
func Items() []Item {
	all := slices.Concat(
		inGroup(GroupSingle, Item{Key: KeyToken, Private: true, Secret: true, Help: "static token with an admin's rights"}),
		inGroup(GroupSite, siteItems()...),
		inGroup(GroupStyle, styleItems()...),
		inGroup(GroupPreview, previewItems()...),
		inGroup(GroupGlobal, globalItems()...),
		inGroup(GroupIndex,
			Item{Key: "search_index", Default: "none", Kind: Choice, Options: []string{"none"}},
			Item{Key: "auto_update_index", Default: "false", Kind: Bool}),
		inGroup(GroupSSO,
			Item{Key: "sso_login_enabled", Default: "false", Kind: Bool, Fixed: true},
			Item{Key: "sso_login_platform"},
			Item{Key: "sso_compatibility_mode", Default: "false", Kind: Bool}),
		inGroup(GroupLDAP,
			Item{Key: "ldap_login_enabled", Default: "false", Kind: Bool, Fixed: true},
			Item{Key: "ldap_login_tips", Default: "login with ldap"}),
		inGroup(GroupFRP, Item{Key: "frp_status", Default: "stopped", Fixed: true}),
	)
	for i := range all {
		all[i].Index = i
	}
	return all
}

func inGroup(group int, items ...Item) []Item {
	for i := range items {
		items[i].Group = group
	}
	return items
}

func siteItems() []Item {
	return []Item{
		{Key: KeyVersion, Default: publicVersion, Fixed: true},
		{Key: KeySiteTitle, Default: "Latchkey", Help: "also the name that authenticator apps show"},
		{Key: "announcement", Kind: LongText},
		{Key: "pagination_type", Default: "all", Kind: Choice, Options: []string{"all", "pagination", "load_more", "auto_load_more"}},
		{Key: "default_page_size", Default: "30", Kind: Number},
		{Key: "allow_indexed", Default: "false", Kind: Bool},
		{Key: "allow_mounted", Default: "true", Kind: Bool},
		{Key: "robots_txt", Default: "User-agent: *\nAllow: /", Kind: LongText},
		{Key: KeyAllowRegister, Default: "false", Kind: Bool, Help: "anybody may make an account with the default role"},
		{Key: KeyDefaultRole, Default: "3", Kind: Text, Help: "role of new accounts"},
		{Key: "use_newui", Default: "false", Kind: Bool},
	}
}

func styleItems() []Item {
	return []Item{
		{Key: "logo", Kind: LongText},
		{Key: "favicon"},
		{Key: "main_color", Default: "#1890ff"},
		{Key: "home_icon", Default: "🏠"},
		{Key: "home_container", Default: "max_980px", Kind: Choice, Options: []string{"max_980px", "hope_container"}},
		{Key: "settings_layout", Default: "list", Kind: Choice, Options: []string{"list", "responsive"}},
	}
}

func previewItems() []Item {
	return []Item{
		{Key: "external_previews", Default: emptyObject, Kind: LongText},
		{Key: "iframe_previews", Default: emptyObject, Kind: LongText},
		{Key: "preview_settings", Default: emptyObject, Kind: LongText},
		{Key: "audio_cover"},
		{Key: "audio_autoplay", Default: "true", Kind: Bool},
		{Key: "video_autoplay", Default: "true", Kind: Bool},
		{Key: "preview_archives_by_default", Default: "true", Kind: Bool},
		{Key: "readme_autorender", Default: "true", Kind: Bool},
		{Key: "filter_readme_scripts", Default: "true", Kind: Bool},
		{Key: "thumbnail_size", Default: "200", Kind: Number},
	}
}

func globalItems() []Item {
	return []Item{
		{Key: "hide_files", Kind: LongText},
		{Key: "package_download", Default: "true", Kind: Bool},
		{Key: "ocr_api"},
		{Key: "filename_char_mapping", Default: `{"/": "|"}`, Kind: LongText},
		{Key: "forward_direct_link_params", Default: "false", Kind: Bool},
		{Key: "ignore_direct_link_params", Default: "sign,alist_ts"},
		{Key: "frontend_remember_sort", Default: "true", Kind: Bool},
		{Key: "webauthn_login_enabled", Default: "false", Kind: Bool, Fixed: true},
		{Key: KeyMaxDevices, Default: "0", Kind: Number, Help: "active devices per account; 0 is unlimited"},
		{
			Key: KeyPasswordMin, Default: "8", Kind: Number, Least: leastPasswordMin, Most: mostPasswordMin, Private: true, Guard: true,
			Help: "characters that a new password has at least, 8 to 64; 15 is right where it is the only factor",
		},
		{Key: KeyEvictPolicy, Default: "deny", Kind: Choice, Options: []string{"deny", evictOldest}, Help: "what a device too many meets: a refusal, or the idlest device goes"},
		{Key: KeySFTPBanner, Kind: LongText, Private: true, Help: "shown to SFTP clients before they sign in"},
		{Key: KeyDeviceTTL, Default: "86400", Kind: Number, Help: "seconds an idle device without a login is kept; 0 keeps it"},
		{Key: KeySSHKeyProof, Default: "false", Kind: Bool, Private: true, Guard: true, Help: "adding an SSH key needs a recent sign-in"},
		{Key: KeySSHKeyUnused, Default: "180", Kind: Number, Private: true, Help: "days after which an unused SSH key is spoken of; 0 is never"},
		{Key: KeyAPIKeyUnused, Default: "180", Kind: Number, Private: true, Help: "days after which an unused API key is reported; 0 is never"},
		{Key: KeyAPIKeyOff, Default: "false", Kind: Bool, Private: true, Help: "unused API keys are revoked instead of reported"},
	}
}

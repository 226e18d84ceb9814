package setting

import "slices"

// The settings that decide something here. The others are only handed to
// frontends.
const (
	KeyToken           = "token"
	KeyVersion         = "version"
	KeySiteTitle       = "site_title"
	KeyMaxDevices      = "max_devices"
	KeyEvictPolicy     = "device_evict_policy"
	KeyDeviceTTL       = "device_session_ttl"
	evictOldest        = "evict_oldest"
	publicVersion      = "v3.63.0" // clients look for "v3." in it (contract §5.29)
	defaultDeviceTTL   = 86_400    // seconds
	defaultPreviewText = `{}`
)

// Item describes a setting.
type Item struct {
	Key     string
	Default string
	Kind    Kind
	Options []string // for Choice: what it may be
	Private bool     // not shown to everybody
	Secret  bool     // sealed at rest
	Fixed   bool     // cannot be changed
}

// Kind is what a setting's text must look like.
type Kind uint8

// The kinds of setting.
const (
	Text Kind = iota
	Bool
	Number
	Choice
)

// Items lists every setting. Where the AList frontend reads a value, the
// default is the one that suits a server without files.
func Items() []Item {
	return slices.Concat(siteItems(), accountItems(), viewItems())
}

func siteItems() []Item {
	return []Item{
		{Key: KeyVersion, Default: publicVersion, Fixed: true},
		{Key: KeySiteTitle, Default: "Latchkey"},
		{Key: "announcement"},
		{Key: "logo"},
		{Key: "favicon"},
		{Key: "main_color", Default: "#1890ff"},
		{Key: "home_icon", Default: "🏠"},
		{Key: "home_container", Default: "max_980px"},
		{Key: "settings_layout", Default: "list"},
		{Key: "use_newui", Default: "false", Kind: Bool},
		{Key: "robots_txt", Default: "User-agent: *\nAllow: /"},
		{Key: "allow_indexed", Default: "false", Kind: Bool},
		{Key: "allow_mounted", Default: "true", Kind: Bool},
	}
}

func accountItems() []Item {
	return []Item{
		{Key: KeyToken, Private: true, Secret: true},
		{Key: "allow_register", Default: "false", Kind: Bool},
		{Key: "default_role", Default: "3", Kind: Number},
		{Key: KeyMaxDevices, Default: "0", Kind: Number},
		{Key: KeyEvictPolicy, Default: "deny", Kind: Choice, Options: []string{"deny", evictOldest}},
		{Key: KeyDeviceTTL, Default: "86400", Kind: Number},
		{Key: "webauthn_login_enabled", Default: "false", Kind: Bool, Fixed: true},
		{Key: "ldap_login_enabled", Default: "false", Kind: Bool, Fixed: true},
		{Key: "ldap_login_tips", Default: "login with ldap"},
		{Key: "sso_login_enabled", Default: "false", Kind: Bool, Fixed: true},
		{Key: "sso_login_platform"},
		{Key: "sso_compatibility_mode", Default: "false", Kind: Bool},
	}
}

func viewItems() []Item {
	return []Item{
		{Key: "audio_autoplay", Default: "true", Kind: Bool},
		{Key: "audio_cover"},
		{Key: "auto_update_index", Default: "false", Kind: Bool},
		{Key: "default_page_size", Default: "30", Kind: Number},
		{Key: "external_previews", Default: defaultPreviewText},
		{Key: "filename_char_mapping", Default: `{"/": "|"}`},
		{Key: "filter_readme_scripts", Default: "true", Kind: Bool},
		{Key: "forward_direct_link_params", Default: "false", Kind: Bool},
		{Key: "frontend_remember_sort", Default: "true", Kind: Bool},
		{Key: "frp_status", Default: "stopped"},
		{Key: "hide_files"},
		{Key: "iframe_previews", Default: defaultPreviewText},
		{Key: "ignore_direct_link_params", Default: "sign,alist_ts"},
		{Key: "ocr_api"},
		{Key: "package_download", Default: "true", Kind: Bool},
		{Key: "pagination_type", Default: "all", Kind: Choice, Options: []string{"all", "pagination", "load_more", "auto_load_more"}},
		{Key: "preview_archives_by_default", Default: "true", Kind: Bool},
		{Key: "preview_settings", Default: defaultPreviewText},
		{Key: "readme_autorender", Default: "true", Kind: Bool},
		{Key: "search_index", Default: "none", Kind: Choice, Options: []string{"none"}},
		{Key: "thumbnail_size", Default: "200", Kind: Number},
		{Key: "video_autoplay", Default: "true", Kind: Bool},
	}
}

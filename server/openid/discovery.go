package openid

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/service/oauth"
)

// metadata is what clients find everything else by (OpenID Connect Discovery 1.0
// §3, RFC 8414 §2). It says nothing that does not work (O-05).
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorize     string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
	Keys          string `json:"jwks_uri"`
	Revocation    string `json:"revocation_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	DeviceCode    string `json:"device_authorization_endpoint"`

	Scopes        []string `json:"scopes_supported"` // everybody's; what else an app may ask for, its registration says
	ResponseTypes []string `json:"response_types_supported"`
	ResponseModes []string `json:"response_modes_supported"`
	GrantTypes    []string `json:"grant_types_supported"`
	Subjects      []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	Claims        []string `json:"claims_supported"`
	Prompts       []string `json:"prompt_values_supported"`

	TokenAuth         []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth []string `json:"introspection_endpoint_auth_methods_supported"`

	SaysIssuer        bool `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	ClaimsParameter   bool `json:"claims_parameter_supported"`
	RequestParameter  bool `json:"request_parameter_supported"`
	RequestURI        bool `json:"request_uri_parameter_supported"` // its default is true
	RequestURIIsKnown bool `json:"require_request_uri_registration"`
}

func metadataOf(issuer string) metadata {
	secret := []string{"client_secret_basic", "client_secret_post"}
	anyWay := append([]string{"none"}, secret...)
	return metadata{
		Issuer: issuer, Authorize: issuer + PathAuthorize, Token: issuer + PathToken, UserInfo: issuer + PathUserInfo,
		Keys: issuer + PathKeys, Revocation: issuer + PathRevoke, Introspection: issuer + PathIntrospect,
		DeviceCode: issuer + PathDeviceCode,

		Scopes:        []string{"openid", "profile", "email", "offline_access"},
		ResponseTypes: []string{"code"},
		ResponseModes: []string{"query"},
		GrantTypes:    []string{"authorization_code", "refresh_token", oauth.DeviceGrant},
		Subjects:      []string{"public"},
		Algorithms:    []string{"RS256"},
		Challenges:    []string{"S256"},
		Claims: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash",
			"name", "preferred_username", "updated_at", "email", "email_verified",
		},
		Prompts:   []string{"none", "login", "consent", "select_account"},
		TokenAuth: anyWay, RevocationAuth: anyWay, IntrospectionAuth: secret,
		SaysIssuer: true,
	}
}

// Discovery is both documents. What the configuration says may be remembered;
// what a request's Host says may not.
func (p *Provider) Discovery(c *gin.Context) error {
	issuer, err := p.issuer(c)
	if err != nil {
		return err
	}
	if p.siteURL == "" {
		noStore(c)
	} else {
		c.Header("Cache-Control", "public, max-age=300")
	}
	c.JSON(http.StatusOK, metadataOf(issuer))
	return nil
}

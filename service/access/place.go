package access

// Place is where in a request a credential stands (contract "API keys").
type Place uint8

// The places.
const (
	Nowhere         Place = iota // there is none
	InAuthorization              // the header Authorization, as it is or after Bearer
	InKeyHeader                  // the header x-api-key
	InQuery                      // the URL's api_key or apiKey
	InBasic                      // the password of Basic
	InBasicName                  // the user name of Basic, where no credential belongs
	Elsewhere                    // another header or parameter, where none belongs either
	InCookie                     // a cookie of our pages, which holds tokens of logins and nothing else
)

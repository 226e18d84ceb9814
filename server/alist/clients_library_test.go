package alist_test

// Bodies as languages write them.
const (
	pythonJSON  = `{"username": "admin", "password": "` + password + `"}`
	compactJSON = `{"username":"admin","password":"` + password + `"}`
	chrome      = "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
)

// hashJSON is a hash sign-in; rest is what follows the password.
func hashJSON(rest string) string {
	return `{"username":"admin","password":"` + hashed(password) + `"` + rest + `}`
}

func requestsLibrary() library {
	return library{headers: []string{
		"User-Agent: python-requests/2.32.3", "Accept-Encoding: gzip, deflate", "Accept: */*", "Connection: keep-alive",
	}, length: true}
}

func httpxLibrary() library {
	return library{headers: []string{
		"Accept: */*", "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "User-Agent: python-httpx/0.27.2",
	}, length: true}
}

func aiohttpLibrary() library {
	return library{headers: []string{
		"Accept: */*", "Accept-Encoding: gzip, deflate, br", "User-Agent: Python/3.12 aiohttp/3.10.5",
	}, length: true}
}

func goLibrary() library {
	return library{headers: []string{"User-Agent: Go-http-client/1.1"}, last: []string{"Accept-Encoding: gzip"}, length: true}
}

func restyLibrary() library {
	return library{headers: []string{chrome}, last: []string{"Accept-Encoding: gzip"}, length: true}
}

func okhttpLibrary() library {
	return library{last: []string{"Connection: Keep-Alive", "Accept-Encoding: gzip", "User-Agent: okhttp/4.12.0"}, length: true}
}

func springLibrary() library {
	return library{headers: []string{
		"Accept: application/json, application/*+json", "User-Agent: Java/17.0.12", "Connection: keep-alive",
	}, length: true}
}

func dartLibrary() library {
	return library{headers: []string{"User-Agent: Dart/3.5 (dart:io)", "Accept-Encoding: gzip"}, small: true, length: true}
}

func reqwestLibrary() library {
	return library{headers: []string{"Accept: */*"}, small: true}
}

func dotnetLibrary() library {
	return library{length: true}
}

func nodeLibrary() library { // undici, which fetch and ofetch are made of
	return library{headers: []string{
		"Connection: keep-alive", "Accept: */*", "Accept-Language: *", "Sec-Fetch-Mode: cors", "User-Agent: node", "Accept-Encoding: gzip, deflate",
	}, small: true, length: true}
}

func axiosLibrary() library { // under node
	return library{headers: []string{
		"Accept: application/json, text/plain, */*", "User-Agent: axios/1.7.7", "Accept-Encoding: gzip, compress, deflate, br", "Connection: keep-alive",
	}, length: true}
}

func browserLibrary() library {
	return library{headers: []string{
		"Connection: keep-alive", chrome, "Accept: application/json, text/plain, */*", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors",
		"Sec-Fetch-Dest: empty", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: de-DE,de;q=0.9",
	}, length: true}
}

func curlLibrary() library {
	return library{headers: []string{"User-Agent: curl/8.5.0", "Accept: */*"}}
}

func cfnetworkLibrary() library {
	return library{headers: []string{
		"Accept: */*", "Connection: keep-alive", "User-Agent: App/1 CFNetwork/1494.0.7 Darwin/23.4.0", "Accept-Language: en-GB,en;q=0.9", "Accept-Encoding: gzip, deflate",
	}, length: true}
}

func njsLibrary() library {
	return library{headers: []string{"User-Agent: Mozilla/5.0", "Connection: close"}}
}

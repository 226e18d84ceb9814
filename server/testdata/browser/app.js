// A small stand-in for AList's web frontend: it makes the requests that the
// genuine one makes, in its order and with its headers, and treats the answers
// as it does. body[data-view] names the view that is ready.

const api = axios.create({
	baseURL: (window.ALIST.api || location.origin) + "/api",
	headers: {
		"Content-Type": "application/json;charset=utf-8",
		Authorization: localStorage.getItem("token") || "",
		"Client-Id": clientID(),
	},
	withCredentials: false,
});

// Any HTTP status from 400 on hides what the server said.
api.interceptors.response.use(
	(response) => response.data,
	(error) => ({ code: error.response?.status, message: error.message, data: null }),
);

const get = (path) => api.get(path);
const post = (path, body) => api.post(path, body);

let me = null;

function clientID() {
	let id = localStorage.getItem("alist_client_id");
	if (!id) {
		id = crypto.randomUUID();
		localStorage.setItem("alist_client_id", id);
	}
	return id;
}

function changeToken(token) {
	api.defaults.headers.Authorization = token;
	localStorage.setItem("token", token);
}

// forget is the end of a login in this browser. The server is not told.
function forget() {
	for (const key of Object.keys(localStorage)) {
		if (!["alist_client_id", "remember-pwd", "username", "password", "device_key"].includes(key)) localStorage.removeItem(key);
	}
	api.defaults.headers.Authorization = "";
	return go("/@login");
}

class Refused extends Error {
	constructor(answer) {
		super(answer.message);
		this.code = answer.code;
	}
}

// need returns a success's data. All else is shown, sent to the login if that
// helps, and thrown.
async function need(request) {
	const answer = await request;
	if (answer.code === 200) return answer.data;
	toast(answer.message);
	if (answer.code === 401) {
		me = null;
		await go(location.pathname === "/@manage" ? "/" : loginPath());
	}
	throw new Refused(answer);
}

const loginPath = () => "/@login?redirect=" + encodeURIComponent(location.pathname);

// act makes an event handler; who was refused has been told already.
const act = (work) => async (event) => {
	event?.preventDefault();
	try {
		await work(event);
	} catch (error) {
		if (!(error instanceof Refused)) fail(error);
	}
};

function toast(message) {
	const item = element("li", message);
	item.title = message;
	item.onclick = () => item.remove();
	document.getElementById("toasts").append(item);
}

function fail(error) {
	const box = document.getElementById("failure");
	box.textContent = String(error);
	box.hidden = false;
	document.body.dataset.view = "failure";
}

window.addEventListener("error", (event) => fail(event.message));
window.addEventListener("unhandledrejection", (event) => fail(event.reason));

function element(tag, ...content) {
	const made = document.createElement(tag);
	made.append(...content);
	return made;
}

function link(id, text, onclick) {
	const made = element("button", text);
	made.type = "button";
	made.className = id;
	made.onclick = act(onclick);
	return made;
}

// row is a table's row: cells of text, then its buttons.
function row(id, cells, ...buttons) {
	const made = element("tr", ...cells.map((text) => element("td", text ?? "")), element("td", ...buttons));
	made.dataset.id = id;
	return made;
}

const rows = () => document.getElementById("rows");
const form = (id, submit) => {
	const found = document.getElementById(id);
	found.onsubmit = act(() => submit(found.elements));
	return found.elements;
};

function go(path) {
	history.pushState(null, "", path);
	return route();
}
window.addEventListener("popstate", act(route));

const isAdmin = () => me.role.includes(2);
const isGuest = () => me.role.includes(1);

function menu() {
	const bar = document.getElementById("menu");
	const entries = [["home", "Home", "/"], ["profile", "Profile", "/@manage"]];
	if (!isGuest()) entries.push(["my-sessions", "My sessions", "/@manage/session/my_session"]);
	if (isAdmin()) entries.push(["sessions", "Management", "/@manage/session/management"], ["users", "Users", "/@manage/users"], ["settings", "Settings", "/@manage/settings/site"]);
	bar.replaceChildren(...entries.map(([id, text, path]) => {
		const made = element("a", text);
		made.id = "go-" + id;
		made.href = path;
		return made;
	}), element("span", me.username), isGuest() ? link("go-login", "Login", () => go("/@login")) : link("logout", "Logout", logout));
	bar.hidden = false;
}

// Links go through the history, as in any single-page frontend.
document.addEventListener("click", (event) => {
	const to = event.target.closest?.("a[href^='/']");
	if (to) act(() => go(to.getAttribute("href")))(event);
});

async function logout() {
	await need(get("/auth/logout"));
	toast("Logout successfully");
	await forget();
}

const views = {
	"/": ["home", home],
	"/@manage": ["profile", profile],
	"/@manage/2fa": ["twofactor", twoFactor],
	"/@manage/session/my_session": ["my-sessions", mySessions],
	"/@manage/session/management": ["sessions", sessions],
	"/@manage/users": ["users", users],
	"/@manage/settings/site": ["settings", siteSettings],
};

async function route() {
	document.body.dataset.view = "";
	document.getElementById("view").replaceChildren();
	if (location.pathname === "/@login") {
		me = null;
		document.getElementById("menu").hidden = true;
		return show("login", "login", login);
	}
	if (!me) {
		const answer = await get("/me");
		if (answer.code === 401) return go(loginPath());
		if (answer.code !== 200) return fail("Failed get current user: " + answer.message);
		me = answer.data;
	}
	menu();
	const [name, fill] = views[location.pathname] ?? views["/"];
	return show(name, name.endsWith("sessions") ? "sessions" : name, fill);
}

async function show(name, template, fill) {
	document.getElementById("view").replaceChildren(document.getElementById("t-" + template).content.cloneNode(true));
	await fill();
	document.body.dataset.view = name;
}

async function login() {
	const settings = await need(get("/public/settings")); // again
	document.getElementById("login-title").textContent = "Login to the " + settings.site_title;
	document.getElementById("as-guest").onclick = act(() => {
		changeToken("");
		return go("/");
	});
	form("form-login", async (fields) => {
		const answer = await post("/auth/login/hash", {
			username: fields.username.value,
			password: await sha256(fields.password.value + "-https://github.com/alist-org/alist"),
			otp_code: fields.otp.value,
		});
		if (answer.code === 402 && fields.otp.hidden) {
			fields.otp.hidden = false;
			return;
		}
		if (answer.code === 401) return go(loginPath()); // nobody is told why, and the redirect is lost
		if (answer.code !== 200) return toast(answer.message);
		changeToken(answer.data.token);
		if (answer.data.device_key) localStorage.setItem("device_key", answer.data.device_key);
		toast("Login successfully");
		await go(new URLSearchParams(location.search).get("redirect") || "/");
	});
}

async function sha256(text) {
	const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
	return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function home() {
	get("/label/list"); // whatever it answers
	const tools = await need(get("/public/offline_download_tools"));
	tools.forEach(() => {});
	const files = document.getElementById("files");
	if (!isAdmin() && !me.permissions.some((at) => at.path === "/")) return;
	const answer = await post("/fs/list", { path: "/", password: "", page: 1, per_page: -1, refresh: false });
	if (answer.message.includes("storage not found") || answer.message.includes("please add a storage")) {
		const start = document.getElementById("start");
		start.textContent = answer.message;
		start.hidden = false;
	} else if (answer.code === 401) {
		await need(answer);
	} else if (answer.code === 403 || answer.code === 404) {
		files.append(...me.permissions.map((at) => element("li", at.path)));
	} else {
		files.append(...(await need(answer)).content.map((file) => element("li", file.name)));
	}
}

async function profile() {
	document.getElementById("profile-name").textContent = me.username;
	document.getElementById("profile-otp").textContent = me.otp ? "on" : "off";
	document.getElementById("enable-2fa").hidden = !!me.otp;
	form("form-profile", async (fields) => {
		await need(post("/me/update", { username: fields.username.value, password: fields.password.value, sso_id: me.sso_id }));
		toast("Saved, login again");
		await go("/@login?redirect=%2F%40manage");
	}).username.value = me.username;
	form("form-key", async (fields) => {
		await need(post("/me/sshkey/add", { title: fields.title.value, key: fields.key.value }));
		await list();
	});
	const list = async () => {
		const { content } = await need(get("/me/sshkey/list"));
		rows().replaceChildren(...content.map((key) => row(key.id,
			[key.title, key.fingerprint, new Date(key.last_used_time).toLocaleString()],
			link("delete", "Delete", async () => {
				await need(post(`/me/sshkey/delete?id=${key.id}`));
				await list();
			}))));
	};
	await list();
}

async function twoFactor() {
	const made = await need(post("/auth/2fa/generate"));
	document.getElementById("qr").src = made.qr;
	document.getElementById("secret").textContent = made.secret;
	form("form-2fa", async (fields) => {
		await need(post("/auth/2fa/verify", { code: fields.code.value, secret: made.secret }));
		toast("success");
		me = null;
		await go("/@manage");
	});
}

const system = (agent) => ["Windows", "Android", "Mac", "Linux"].find((name) => agent.includes(name)) ?? "?";

// listSessions fills the table of either page and its buttons.
async function listSessions(path, kick) {
	const list = (await need(get(path))) || [];
	rows().replaceChildren(...list.map((s) => row(s.session_id, [
		s.username || "-", s.session_id.slice(0, 6) + "***" + s.session_id.slice(-6), system(s.ua), s.ip,
		new Date(s.last_active * 1000).toLocaleString(), s.status === 0 ? "Active" : "Offline",
	], link("evict", "Kick out", () => kick(s.session_id)))));
}

async function mySessions() {
	document.getElementById("sessions-title").textContent = "My sessions";
	document.getElementById("clean").hidden = true;
	const list = () => listSessions("/me/sessions", async (id) => {
		if (id === localStorage.getItem("device_key")) return forget();
		const answer = await post("/me/sessions/evict", { session_id: id });
		if (answer.code === 403 || answer.message.includes("session inactive")) {
			toast(answer.message);
			return forget();
		}
		await need(answer);
		toast("success");
		await list();
	});
	await list();
}

async function sessions() {
	document.getElementById("sessions-title").textContent = "Session management";
	const list = () => listSessions("/admin/session/list", async (id) => {
		await need(post("/admin/session/evict", { session_id: id }));
		toast("success");
		await list();
	});
	document.getElementById("clean").onclick = act(async () => {
		await need(post("/admin/session/clean", {}));
		toast("cleaned");
		await list();
	});
	await list();
}

async function users() {
	const roles = (await need(get("/admin/role/list"))).content;
	const name = (id) => roles.find((role) => role.id === id)?.name ?? "...";
	const fields = form("form-user", async ({ username, password, role }) => {
		await need(post("/admin/user/create", {
			id: 0, username: username.value, password: password.value, base_path: "/", role: [Number(role.value)],
			permission: 0, disabled: false, sso_id: "", role_info: [], permissions: [],
		}));
		await list();
	});
	fields.role.append(...roles.filter((role) => role.id > 2).map((role) => new Option(role.name, role.id)));
	const then = (request) => async () => {
		await need(request());
		toast("success");
		await list();
	};
	const list = async () => {
		const { content } = await need(get("/admin/user/list"));
		rows().replaceChildren(...content.map((user) => row(user.username,
			[user.username, user.role.map(name).join(", "), user.disabled ? "disabled" : "enabled"],
			link("toggle", user.disabled ? "Enable" : "Disable", then(async () => {
				const whole = await need(get(`/admin/user/get?id=${user.id}`));
				return post("/admin/user/update", { ...whole, disabled: !user.disabled });
			})),
			link("cancel-2fa", "Cancel 2FA", then(() => post(`/admin/user/cancel_2fa?id=${user.id}`))),
			link("delete", "Delete", then(() => post(`/admin/user/delete?id=${user.id}`))))));
	};
	await list();
}

async function siteSettings() {
	const items = await need(get("/admin/setting/list?group=1"));
	const inputs = items.map((item) => {
		const input = document.createElement(item.type === "text" ? "textarea" : "input");
		input.name = item.key;
		input.value = item.value;
		return input;
	});
	document.getElementById("form-settings").prepend(...inputs.map((input) => element("label", input.name, input)));
	form("form-settings", async () => {
		await need(post("/admin/setting/save", items.map((item, i) => ({ ...item, value: inputs[i].value }))));
		toast("success");
	});
}

act(async () => {
	const [first, second] = await Promise.all([get("/public/settings"), get("/public/archive_extensions")]);
	for (const answer of [first, second]) {
		if (answer.code !== 200) return fail("Failed fetching settings: " + answer.message);
	}
	Object.keys(first.data); // throws unless it is an object: the genuine page would hang
	await route();
})();

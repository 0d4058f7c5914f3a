package weather

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The constant "again" is a mark in a next link. If the weather sends an empty page, or sends a page twice, the next
// link leads to the same page again. With the mark, this page comes without the fault. The weather removes the mark
// before the request reaches the simulation.
const again = "weather=again"

// Graph returns a handler that passes requests to Microsoft Graph, with the faults of the weather. The caller passes
// this method to sandbox.Sandbox.Intercept.
func (w *Weather) Graph(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		f := w.Process.next(r.Method != http.MethodGet)
		if f.fails {
			panic(http.ErrAbortHandler)
		}
		marked := strings.Contains(r.URL.RawQuery, again)
		if marked {
			r = unmarked(r)
		}
		if a := w.overQuota(r, out.Header()); a != nil {
			a.send(out)
			return
		}
		n := w.tonight(graphKinds)
		if f.plain() && n == nil {
			next.ServeHTTP(out, r)
			return
		}
		var a *answer
		if n == nil {
			a = ask(next, out.Header(), r)
		} else {
			x := request{w, n, n.operation(r.Method + " " + r.URL.RequestURI()), r, marked}
			a = x.answer(next, out.Header())
		}
		if f.lost {
			panic(http.ErrAbortHandler)
		}
		w.sleep(f.late)
		a.send(out)
	})
}

func unmarked(r *http.Request) *http.Request {
	plain := *r
	u := *r.URL
	u.RawQuery = strings.TrimRight(strings.Replace(u.RawQuery, again, "", 1), "&")
	plain.URL = &u
	return &plain
}

// The type "answer" is an answer of Graph that is not sent yet. The simulation of Graph writes into it, and a fault may
// then change it.
type answer struct {
	header http.Header
	status int
	body   []byte
	sent   int  // number of sent bytes of the body; -1: all
	chunks bool // whether the body is sent in chunks, without Content-Length
	reset  bool // whether the connection is closed without an answer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

func ask(next http.Handler, header http.Header, r *http.Request) *answer {
	a := &answer{header: header.Clone(), sent: -1}
	next.ServeHTTP(a, r)
	return a
}

// The method "send" sends the answer. A fault may shorten the answer or break the connection.
func (a *answer) send(out http.ResponseWriter) {
	if a.reset {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		out.Header()[name] = values
	}
	whole := a.sent < 0
	if whole {
		a.sent = len(a.body)
	}
	if a.chunks {
		out.Header().Del("Content-Length")
	} else if a.status != http.StatusNoContent {
		out.Header().Set("Content-Length", decimal(len(a.body)))
	}
	out.WriteHeader(a.status)
	_, _ = out.Write(a.body[:a.sent]) // the client may have closed the connection
	if !whole {
		_ = http.NewResponseController(out).Flush()
		panic(http.ErrAbortHandler)
	}
}

type request struct {
	w      *Weather
	n      *night
	o      operation
	r      *http.Request
	marked bool
}

func (x *request) answer(next http.Handler, header http.Header) *answer {
	read := x.r.Method == http.MethodGet
	if a := x.denied(header); a != nil {
		return x.skewed(a)
	}
	kinds := graphBefore
	if !read {
		kinds = graphWrites
	}
	k, d := x.w.meets(x.n, x.o, kinds)
	if a := x.instead(k, d, next, header); a != nil {
		return x.skewed(a)
	}
	a := ask(next, header, x.r)
	if read && a.status == http.StatusOK {
		x.change(a)
		if k == "" {
			x.cut(a)
		}
	}
	if k == GraphAnswerLost {
		a = x.lost(a, d)
	}
	return x.skewed(a)
}

type asks int

const (
	anything asks = iota
	users
	oneUser
	members // members of a group
	groupList
	subscriptions
	reports
)

// The method "asked" returns the kind of object that the request reads, and the id in the path.
func (x *request) asked() (what asks, id string) {
	parts := strings.Split(strings.TrimPrefix(x.r.URL.Path, "/v1.0/"), "/")
	switch {
	case parts[0] == "users" && len(parts) == 1:
		return users, ""
	case parts[0] == "users" && len(parts) == 2:
		return oneUser, parts[1]
	case parts[0] == "users" && len(parts) == 3 && strings.HasSuffix(strings.ToLower(parts[2]), "memberof"):
		return groupList, parts[1]
	case parts[0] == "groups" && len(parts) == 1:
		return groupList, ""
	case parts[0] == "groups" && len(parts) == 3 && parts[2] == "members":
		return members, parts[1]
	case parts[0] == "subscribedSkus":
		return subscriptions, ""
	case parts[0] == "reports":
		return reports, ""
	}
	return anything, ""
}

func (x *request) isList() bool {
	what, _ := x.asked()
	return what == users || what == members || what == groupList
}

func (x *request) selects(name string) bool {
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	return err == nil && slices.Contains(strings.Split(query.Get("$select"), ","), name)
}

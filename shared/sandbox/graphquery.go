package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type query struct {
	r       *http.Request
	ids     []string // ids in the path
	route   *route
	values  url.Values
	names   []string // from $select; nil: absent
	filter  *clause  // nil: absent
	top     int      // 0: absent
	from    int      // position of the first item of the page, from $skiptoken
	counted bool     // whether $count=true
	replica replica  // the replica that answers
}

// readQuery parses the query options of a request. It rejects unsupported and repeated options.
func readQuery(r *http.Request, rt *route, ids []string) (*query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("Invalid query string.")
	}
	q := &query{r: r, ids: ids, route: rt, values: values}
	for name, given := range values {
		switch {
		case name == "$skip":
			return nil, unsupportedQuery("'$skip' is not supported by the service.")
		case !slices.Contains(strings.Fields(rt.options), name):
			return nil, unsupportedQuery("The query parameter '%s' is not supported.", name)
		case len(given) != 1:
			return nil, badRequest("Query option '%s' was specified more than once, but it must be specified at most once.", name)
		}
	}
	for name, read := range map[string]func(string) error{
		"$select": q.readSelect, "$top": q.readTop, "$filter": q.readFilter, "$count": q.readCount, "$skiptoken": q.readToken,
	} {
		if values.Has(name) {
			if err := read(values.Get(name)); err != nil {
				return nil, err
			}
		}
	}
	return q, nil
}

func (q *query) readSelect(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		q.names = append(q.names, strings.TrimSpace(name))
	}
	return nil
}

func (q *query) selects(name string) bool { return slices.Contains(q.names, name) }

func (q *query) readTop(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil {
		return badRequest("Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", s)
	}
	if n < 1 || n > 999 {
		return unsupportedQuery("Invalid page size specified: '%d'. Must be between 1 and 999 inclusive.", n)
	}
	q.top = n
	return nil
}

func (q *query) readFilter(s string) (err error) {
	q.filter, err = parseFilter(s)
	return err
}

func (q *query) readCount(s string) error {
	if s != "true" && s != "false" {
		return badRequest("Invalid value '%s' for $count query option found. Valid values are 'false', 'true'.", s)
	}
	if s == "true" && q.r.Header.Get("ConsistencyLevel") != "eventual" {
		return unsupportedQuery("$count is not currently supported.")
	}
	q.counted = s == "true"
	return nil
}

// The method "token" returns the $skiptoken of the page that starts at position "next". The token contains the path,
// because readToken rejects a token of another path.
func (q *query) token(next int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", next, q.r.URL.Path))
}

func (q *query) readToken(s string) error {
	b, err := base64.RawURLEncoding.DecodeString(s)
	number, path, _ := strings.Cut(string(b), " ")
	n, numberErr := strconv.Atoi(number)
	if err != nil || numberErr != nil || n < 0 || path != q.r.URL.Path {
		return &graphError{status: http.StatusBadRequest, code: "Directory_ExpiredPageToken",
			message: "The specified page token value has expired and can no longer be included in your request."}
	}
	q.from = n
	return nil
}

// The method "base" returns the address of Graph with the host that the client used.
func (q *query) base() string { return "http://" + q.r.Host + version }

// nextLink returns the address of the page that starts at position "next", with the options of the request and a
// $skiptoken.
func (q *query) nextLink(next int) string {
	var b strings.Builder
	b.WriteString("http://" + q.r.Host + q.r.URL.EscapedPath() + "?")
	for _, name := range strings.Fields(q.route.options) {
		if name != "$skiptoken" && q.values.Has(name) {
			b.WriteString(name + "=" + url.QueryEscape(q.values.Get(name)) + "&")
		}
	}
	return b.String() + "$skiptoken=" + q.token(next)
}

// The function "properties" returns the selected properties, or the defaults without $select.
func properties[T any](q *query, all []property[T], defaults []string, kind string) ([]property[T], error) {
	if q.names == nil {
		return selectFrom(all, defaults), nil
	}
	for _, name := range q.names {
		if !known(all, name) {
			return nil, noProperty(name, kind)
		}
	}
	return selectFrom(all, q.names), nil
}

func known[T any](all []property[T], name string) bool {
	return slices.ContainsFunc(all, func(p property[T]) bool { return p.name == name })
}

func noProperty(name, kind string) error {
	return badRequest("Could not find a property named '%s' on type 'microsoft.graph.%s'.", name, kind)
}

type page struct {
	q     *query
	body  []byte
	items int
	max   int
}

// newPage starts a page of at most $top entities, and never more than "most". Without $top, the page has at most 100
// entities.
func (q *query) newPage(set string, most int) *page {
	p := &page{q: q, max: 100}
	if q.top > 0 {
		p.max = min(q.top, most)
	}
	p.body = append(make([]byte, 0, 4096), `{"@odata.context":`...)
	p.body = appendText(p.body, q.base()+"/$metadata#"+set)
	return p
}

// The method "begin" writes everything before the first item. It omits a negative count.
func (p *page) begin(count int) {
	if count >= 0 {
		p.body = strconv.AppendInt(append(p.body, `,"@odata.count":`...), int64(count), 10)
	}
	p.body = append(p.body, `,"value":[`...)
}

func (p *page) full() bool { return p.items == p.max }

func (p *page) next() {
	if p.items > 0 {
		p.body = append(p.body, ',')
	}
	p.items++
}

// The method "end" writes everything after the last item. It omits the next link if "next" is negative.
func (p *page) end(next int) answer {
	p.body = append(p.body, ']')
	if next >= 0 {
		p.body = appendText(append(p.body, `,"@odata.nextLink":`...), p.q.nextLink(next))
	}
	return ok(append(p.body, '}'))
}

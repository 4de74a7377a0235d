package syndicate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"diemtin/store"
)

// openAPIDoc is what the tests read of the description.
type openAPIDoc struct {
	Paths map[string]struct {
		Get struct {
			OperationID string `json:"operationId"`
			Parameters  []struct {
				Ref      string `json:"$ref"`
				Name, In string
			}
			Responses map[string]openAPIResponse
		}
	}
	Components struct {
		Parameters map[string]struct{ Name, In string }
		Responses  map[string]openAPIResponse
		Headers    map[string]openAPIHeader
	}
}

type openAPIResponse struct {
	Ref     string `json:"$ref"`
	Headers map[string]openAPIHeader
	Content map[string]struct{ Schema json.RawMessage }
}

type openAPIHeader struct {
	Ref      string `json:"$ref"`
	Required bool
}

// contract checks answers against the description that a site gives out.
type contract struct {
	doc      openAPIDoc
	compiler *jsonschema.Compiler
	answered map[string]bool // "stories 200"
}

const descriptionURL = "https://api.example/openapi.json"

func newContract(t *testing.T, text []byte) *contract {
	t.Helper()
	c := &contract{compiler: jsonschema.NewCompiler(), answered: map[string]bool{}}
	c.compiler.AssertFormat()
	if err := json.Unmarshal(text, &c.doc); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.compiler.AddResource(descriptionURL, whole); err != nil {
		t.Fatal(err)
	}
	return c
}

// check looks whether an answer is one that the description promises.
func (c *contract) check(t *testing.T, id, path string, resp *http.Response, body []byte) {
	t.Helper()
	status := fmt.Sprint(resp.StatusCode)
	for at, item := range c.doc.Paths {
		if item.Get.OperationID != id {
			continue
		}
		r, ok := item.Get.Responses[status]
		where := "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(at) + "/get/responses/" + status
		if r.Ref != "" {
			where = r.Ref
			r = c.doc.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
		}
		if !ok {
			t.Errorf("%s answers %s, which the description does not know: %s", path, status, body)
			return
		}
		c.answered[id+" "+status] = true
		for name, h := range r.Headers {
			if h.Ref != "" {
				h = c.doc.Components.Headers[strings.TrimPrefix(h.Ref, "#/components/headers/")]
			}
			if h.Required && resp.Header.Get(name) == "" {
				t.Errorf("%s: %s without %s", path, status, name)
			}
		}
		media := resp.Header.Get("Content-Type")
		if len(r.Content) == 0 {
			return
		}
		if _, ok := r.Content[media]; !ok {
			t.Errorf("%s: %s as %q", path, status, media)
			return
		}
		schema, err := c.compiler.Compile(descriptionURL + where + "/content/" + strings.ReplaceAll(media, "/", "~1") + "/schema")
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %s\n%v\n%s", path, status, err, body)
		}
		return
	}
	t.Errorf("the description has no operation %s", id)
}

// The description is one of OpenAPI 3.1, has every route and every parameter,
// and no other.
func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	t.Parallel()
	s := newFeedSite(t)
	_, text := s.get(apiRoot + "/openapi.json")
	meta, err := os.Open("testdata/openapi/schema-3.1-2022-10-07.json")
	if err != nil {
		t.Fatal(err)
	}
	defer meta.Close()
	schema, err := jsonschema.UnmarshalJSON(meta)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("meta.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("meta.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = compiled.Validate(value)
	}
	if err != nil {
		t.Errorf("no description of OpenAPI 3.1: %v", err)
	}
	c := newContract(t, text)
	described := map[string][]string{}
	for path, item := range c.doc.Paths {
		var params []string
		for _, p := range item.Get.Parameters {
			if p.Ref != "" {
				known, ok := c.doc.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
				if !ok {
					t.Errorf("%s: there is no %s", path, p.Ref)
				}
				p.Name, p.In = known.Name, known.In
			}
			if p.In == "query" {
				params = append(params, p.Name)
			}
		}
		slices.Sort(params)
		described[item.Get.OperationID+" "+path] = params
	}
	var served int
	for _, pattern := range s.server.mux.patterns {
		if strings.HasPrefix(pattern, "GET "+apiRoot) {
			served++
		}
	}
	for _, route := range apiRoutes() {
		key := route.id + " " + strings.TrimSuffix(route.path, "{$}")
		have, ok := described[key]
		params := slices.Sorted(slices.Values(route.params))
		if !ok || !slices.Equal(have, params) {
			t.Errorf("%s is described %v with %v, served with %v", key, ok, have, params)
		}
		delete(described, key)
		served--
	}
	if len(described) > 0 || served != 0 {
		t.Errorf("described and not served: %v; routes outside the table: %d", described, served)
	}
}

// Every operation answers as the description says, in every way it says.
func TestOpenAPIHoldsForEveryAnswer(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	s.article("trunguong", "xay-dung-dang", 8, "sửa lần một")
	s.clock.forward(2 * freshFor)
	_, text := s.get(apiRoot + "/openapi.json")
	c := newContract(t, text)
	calls := map[string][]string{
		"stories": {"", "?limit=3", "?topics=kinh-te&provinces=lao-cai&order=published", "?day=2024-11-05&limit=200", "?day=2023-01-01", "?channel=dang-va-kinh-te", "?topics=x", "?outlets=laocai,tieude&match=any"},
		"story":   {s.carried, s.merged, s.hidden, "aaaaaaaaaaaaa", s.carried + "?x=1"},
		"explain": {s.carried + "/explain", s.merged + "/explain", s.hidden + "/explain", "aaaaaaaaaaaaa/explain", s.carried + "/explain?x=1"},
		"search":  {"?q=tin", "?q=khong-co", "?q=tin&outlets=laocai&limit=1", ""},
		"changes": {"", "?limit=5", "?since=0", "?since=1730790000000.aaaaaaaaaaaaa", "?since=4000000000000", "?since=x"},
		"days":    {"", "?month=2024-11", "?month=2023-01&topics=kinh-te", "?month=x"},
	}
	for _, route := range apiRoutes() {
		base := apiRoot + strings.TrimSuffix(route.path, "{$}")
		if i := strings.Index(base, "{id}"); i >= 0 {
			base = base[:i]
		}
		asked := calls[route.id]
		if asked == nil {
			asked = []string{"", "?x=1"}
		}
		for i, query := range asked {
			resp, body := s.get(base + query)
			c.check(t, route.id, base+query, resp, body)
			if i > 0 {
				continue
			}
			tag := resp.Header.Get("ETag")
			resp, body = s.get(base+query, "If-None-Match", tag)
			c.check(t, route.id, base+query+" with its tag", resp, body)
			resp, body = s.get(base+query, "Accept-Encoding", "identity;q=0, *;q=0")
			c.check(t, route.id, base+query+" with no encoding", resp, body)
		}
	}
	few := newAPISite(t, func(c *Config) { c.Visitors.PerMinute = 1 })
	for _, id := range []string{"stories", "search", "days"} {
		few.get(apiRoot + "/search?q=mot")
		resp, body := few.get(apiRoot + map[string]string{"stories": "/stories?topics=kinh-te,giao-duc", "search": "/search?q=hai", "days": "/days?topics=kinh-te,giao-duc"}[id])
		c.check(t, id, id+" too often", resp, body)
	}
	s.db.Close()
	s.clock.forward(2 * freshFor)
	for _, route := range apiRoutes() {
		path := apiRoot + strings.TrimSuffix(strings.Replace(route.path, "{id}", "bbbbbbbbbbbbb", 1), "{$}")
		if route.id == "search" {
			path += "?q=ba"
		}
		resp, body := s.get(path + map[bool]string{true: "?limit=9"}[slices.Contains(route.params, "limit") && route.id != "search"])
		c.check(t, route.id, path+" without a store", resp, body)
	}
	for _, item := range c.doc.Paths {
		for status := range item.Get.Responses {
			key := item.Get.OperationID + " " + status
			settled := slices.Contains([]string{"index", "openapi", "topics", "provinces", "channels"}, item.Get.OperationID)
			if !c.answered[key] && !(status == "503" && (settled || item.Get.OperationID == "outlets" || item.Get.OperationID == "sources" || item.Get.OperationID == "days")) {
				t.Errorf("%s is described, and no call of this test was answered so", key)
			}
		}
	}
}

// A story that the store cannot tell any more is one that the description
// knows.
func TestOpenAPIKnowsEveryFate(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	_, text := s.get(apiRoot + "/openapi.json")
	states := map[string]bool{}
	var l apiChangeList
	s.read(apiRoot+"/changes?limit=200", &l)
	for _, ch := range l.Changes {
		states[ch.State] = true
		if !strings.Contains(string(text), `"`+ch.State+`"`) {
			t.Errorf("state %q is not described", ch.State)
		}
	}
	for _, want := range []string{"listed", store.BuriedMerged, store.BuriedWithdrawn} {
		if !states[want] {
			t.Errorf("no change of state %q in %v", want, states)
		}
	}
}

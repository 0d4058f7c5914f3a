package entra

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/idleseat/idleseat/shared/directory"
)

// The page sizes that Graph allows if signInActivity is selected. The smaller size was the limit for years. Some
// tenants still reject the larger size.
const (
	pageSize      = 500
	smallPageSize = 120
	idsPerFilter  = 15 // the largest number of values that Graph allows in an "in" filter
)

const readPeople = "User.Read.All and AuditLog.Read.All"

type (
	usersConfig = users.UsersRequestBuilderGetRequestConfiguration
	usersQuery  = users.UsersRequestBuilderGetQueryParameters
	userConfig  = users.UserItemRequestBuilderGetRequestConfiguration
	userQuery   = users.UserItemRequestBuilderGetQueryParameters
)

// CountPeople returns the number of users in the tenant, including guests. Graph's count may be some minutes old.
func (c *Client) CountPeople(ctx context.Context) (int, error) {
	k := call{what: "count people", needs: "User.Read.All"}
	headers := abs.NewRequestHeaders()
	headers.Add("ConsistencyLevel", "eventual")
	info, err := c.users().ToGetRequestInformation(ctx, &usersConfig{
		Headers:         headers,
		QueryParameters: &usersQuery{Count: new(true), Top: new(int32(1)), Select: []string{"id"}},
	})
	if err != nil {
		return 0, k.failed(err)
	}
	body, err := c.send(ctx, k, info)
	if err != nil {
		return 0, err
	}
	_, head, err := decodeList[struct{}](body)
	switch {
	case err != nil:
		return 0, k.failed(err)
	case head.count == nil:
		return 0, k.failed(errors.New("the answer of Graph has no @odata.count"))
	}
	return *head.count, nil
}

// ListPeople reads every user, with the fields that a snapshot needs, and calls "page" with each page. An empty cursor
// starts at the beginning. With the cursor "next" of a page, a later call continues after this page, even in another
// process. The cursor is empty on the last page. The error is directory.ErrCursor if Graph rejects the cursor. An error
// of "page" ends the reading and is returned unchanged.
func (c *Client) ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error {
	k := call{what: "list people", needs: readPeople, paced: true}
	page = once(page)
	if cursor != "" {
		info, err := c.follow(cursor)
		if err != nil {
			return k.failed(err)
		}
		err = pages(ctx, c, k, info, cursor, c.people, page)
		return expired(err)
	}
	return c.selecting(func(fields []string) error { return c.listFrom(ctx, k, fields, page) })
}

// The function "once" wraps the function "page". Behind a new link, Graph may send a page that it has already sent.
// The wrapped function then calls "page" with no people. Otherwise the list could have more people than exist, and the
// correct list of the next night would look too short.
func once(page func([]directory.EntraUser, string) error) func([]directory.EntraUser, string) error {
	seen := map[uint64]bool{}
	return func(people []directory.EntraUser, next string) error {
		var sum uint64 // the sum of the hashes of the ids does not depend on the order of the ids
		for i := range people {
			h := fnv.New64a()
			_, _ = h.Write([]byte(people[i].ID)) // a hash never fails
			sum += h.Sum64()
		}
		if seen[sum] && len(people) > 0 {
			people = nil
		}
		seen[sum] = true
		return page(people, next)
	}
}

// listFrom lists all users, in pages of pageSize users, or of smallPageSize if the tenant rejects pageSize.
func (c *Client) listFrom(ctx context.Context, k call, fields []string, page func(people []directory.EntraUser, next string) error) error {
	begun := false
	for _, size := range []int32{pageSize, smallPageSize} {
		info, err := c.users().ToGetRequestInformation(ctx, &usersConfig{
			QueryParameters: &usersQuery{Select: fields, Top: &size},
		})
		if err != nil {
			return k.failed(err)
		}
		err = pages(ctx, c, k, info, "", c.people, func(people []directory.EntraUser, next string) error {
			begun = true
			return page(people, next)
		})
		if size == smallPageSize || begun || !says(err, "cannot query data for more than") {
			return err
		}
	}
	return nil
}

// The function "expired" marks an error with directory.ErrCursor if Graph rejected a link, because Graph keeps a
// position in a list for a limited time.
func expired(err error) error {
	if answered(err, http.StatusBadRequest) || answered(err, http.StatusGone) {
		return fmt.Errorf("%w: %w", directory.ErrCursor, err)
	}
	return err
}

func (c *Client) people(body []byte) ([]directory.EntraUser, envelope, error) {
	return decodePeople(body, c.now())
}

// ReadPeople reads the current state of users. The keys of the result are ids, as Graph writes them. The result has no
// entry for a user who does not exist.
func (c *Client) ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error) {
	found := make(map[string]directory.EntraUser, len(ids))
	read := c.readTogether
	for some := range slices.Chunk(ids, idsPerFilter) {
		err := read(ctx, some, found)
		if answered(err, http.StatusBadRequest) {
			// No document says whether a filter by id may be combined with signInActivity. If Graph rejects it, each
			// user is read separately.
			read = c.readEach
			err = read(ctx, some, found)
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *Client) readEach(ctx context.Context, ids []string, found map[string]directory.EntraUser) error {
	for _, id := range ids {
		person, err := c.readPerson(ctx, id)
		if errors.Is(err, directory.ErrNoPerson) {
			continue
		}
		if err != nil {
			return err
		}
		found[person.ID] = person
	}
	return nil
}

func (c *Client) readTogether(ctx context.Context, ids []string, found map[string]directory.EntraUser) error {
	k := call{what: fmt.Sprintf("read %d people", len(ids)), needs: readPeople, paced: true}
	for _, id := range ids {
		if !isID(id) { // the check also excludes quotation marks from the filter
			return k.failed(fmt.Errorf("%q is %w", id, errNotID))
		}
	}
	return c.selecting(func(fields []string) error {
		info, err := c.users().ToGetRequestInformation(ctx, &usersConfig{QueryParameters: &usersQuery{
			Filter: new("id in ('" + strings.Join(ids, "','") + "')"),
			Select: fields,
		}})
		if err != nil {
			return k.failed(err)
		}
		return pages(ctx, c, k, info, "", c.people, func(people []directory.EntraUser, _ string) error {
			for _, person := range people {
				found[person.ID] = person
			}
			return nil
		})
	})
}

// ReadLicenses reads only the licenses of one user. Graph's limits for sign-in dates do not apply to it, so it may
// follow every write. The error is directory.ErrNoPerson if the user does not exist.
func (c *Client) ReadLicenses(ctx context.Context, userID string) ([]directory.Assignment, error) {
	if !isID(userID) {
		return nil, fmt.Errorf("read licenses: %q is %w", userID, errNotID)
	}
	wire, err := getUser[wireHolding](ctx, c, userID, selectOf[wireHolding]())
	if err == nil && wire.ID == "" {
		err = fmt.Errorf("read licenses of person %s: the answer has no id", userID)
	}
	return wire.assignments(), err
}

// FindPerson reads one user by object id or user principal name. The error is directory.ErrNoPerson if there is none.
func (c *Client) FindPerson(ctx context.Context, upnOrID string) (directory.EntraUser, error) {
	id, err := c.FindID(ctx, upnOrID) // Graph returns signInActivity only for a request by object id
	if err != nil {
		return directory.EntraUser{}, err
	}
	return c.readPerson(ctx, id)
}

// FindID returns the object id of a user. It returns a given object id without a request. The error is
// directory.ErrNoPerson if nobody has the user principal name.
func (c *Client) FindID(ctx context.Context, upnOrID string) (string, error) {
	if isID(upnOrID) {
		return upnOrID, nil
	}
	if !strings.Contains(upnOrID, "@") {
		return "", fmt.Errorf("%w: %q is neither an object id nor a user principal name", directory.ErrNoPerson, upnOrID)
	}
	who, err := getUser[struct {
		ID string `json:"id"`
	}](ctx, c, upnOrID, []string{"id"})
	return who.ID, err
}

func (c *Client) readPerson(ctx context.Context, id string) (directory.EntraUser, error) {
	if !isID(id) {
		return directory.EntraUser{}, fmt.Errorf("read a person: %q is %w", id, errNotID)
	}
	var wire wirePerson
	err := c.selecting(func(fields []string) (err error) {
		wire, err = getUser[wirePerson](ctx, c, id, fields)
		return err
	})
	if err != nil {
		return directory.EntraUser{}, err
	}
	person, err := wire.person(c.now())
	if err != nil {
		return directory.EntraUser{}, fmt.Errorf("read person %s: %w", id, err)
	}
	return person, nil
}

func getUser[T any](ctx context.Context, c *Client, key string, fields []string) (T, error) {
	var none T
	k := call{what: "read person " + key, needs: readPeople}
	info, err := c.user(key).ToGetRequestInformation(ctx, &userConfig{
		QueryParameters: &userQuery{Select: fields},
	})
	if err != nil {
		return none, k.failed(err)
	}
	body, err := c.send(ctx, k, info)
	if answered(err, http.StatusNotFound) {
		return none, fmt.Errorf("%w: %s", directory.ErrNoPerson, key)
	}
	if err != nil {
		return none, err
	}
	wire, err := decodeOne[T](body)
	if err != nil {
		return none, k.failed(err)
	}
	return wire, nil
}

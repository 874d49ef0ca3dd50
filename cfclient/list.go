package cfclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cloudfoundry/go-cfclient/v3/client"
)

const perPage = 5000 // the most that Cloud Foundry gives; more is a 400

// page is one page of a list, its elements already as small as ours are.
type page[T any] struct {
	total    int
	next     bool
	elements []T
	included included
}

// included are the things that a list's elements refer to, if the query asked for them.
type included struct {
	Spaces []struct {
		GUID          string `json:"guid"`
		Name          string `json:"name"`
		Relationships struct {
			Organization struct {
				Data struct {
					GUID string `json:"guid"`
				} `json:"data"`
			} `json:"organization"`
		} `json:"relationships"`
	} `json:"spaces"`
	Organizations []struct {
		GUID string `json:"guid"`
		Name string `json:"name"`
	} `json:"organizations"`
}

// query is a library's list options with the largest page. The library's own lists aren't used: they hold all of a page's
// JSON, and of its elements what nobody asked for.
func query(options client.ListOptioner) url.Values {
	options.CurrentPage(client.DefaultPage, perPage)
	values, err := options.ToQueryString()
	if err != nil { // only an option's own serializer fails, and none that we use does
		return url.Values{client.PerPageField: {strconv.Itoa(perPage)}}
	}
	return values
}

// filter makes a filter for values that may hold what separates values: names are unescaped once more by Cloud Foundry.
func filter(values ...string) client.Filter {
	escaped := make([]string, 0, len(values))
	for _, value := range values {
		escaped = append(escaped, strings.NewReplacer("%", "%25", ",", "%2C", "+", "%2B").Replace(value))
	}
	return client.Filter{Values: escaped}
}

// pages gives a list page by page. L is the element in the library's form, T in ours.
func pages[L, T any](ctx context.Context, c *Client, path string, query url.Values, ours func(L) T) iter.Seq2[page[T], error] {
	return func(yield func(page[T], error) bool) {
		for number := 1; ; number++ {
			query.Set(client.PageField, strconv.Itoa(number))
			got, err := onePage(ctx, c, path, query, ours)
			if !yield(got, err) || err != nil || !got.next {
				return
			}
		}
	}
}

// all collects a list that is known to be short.
func all[L, T any](ctx context.Context, c *Client, path string, query url.Values, ours func(L) T) ([]T, error) {
	var found []T
	for page, err := range pages(ctx, c, path, query, ours) {
		if err != nil {
			return nil, err
		}
		found = append(found, page.elements...)
	}
	return found, nil
}

func onePage[L, T any](ctx context.Context, c *Client, path string, query url.Values, ours func(L) T) (page[T], error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api.ApiURL(path)+"?"+query.Encode(), nil)
	if err != nil {
		return page[T]{}, fmt.Errorf("GET %s: %w", path, err)
	}
	var got page[T]
	err = c.exchange.do(request, func(answer *http.Response) (err error) {
		got, err = decodePage(answer.Body, ours)
		return err
	})
	return got, err
}

// decodePage reads a page, one element at a time. An answer without a list is none of an empty one.
func decodePage[L, T any](body io.Reader, ours func(L) T) (got page[T], err error) {
	decoder := json.NewDecoder(body)
	paginated, listed := false, false
	err = inside(decoder, '{', func() error {
		key, err := decoder.Token()
		switch {
		case err != nil:
			return err
		case key == "pagination":
			paginated = true
			got.total, got.next, err = decodePagination(decoder)
			return err
		case key == "resources":
			listed = true
			got.elements, err = decodeElements(decoder, ours)
			return err
		case key == "included":
			return decoder.Decode(&got.included)
		}
		var ignored json.RawMessage
		return decoder.Decode(&ignored)
	})
	if err == nil {
		err = atEnd(decoder)
	}
	if err == nil && !(paginated && listed) {
		err = errForeignAnswer
	}
	if err != nil {
		return page[T]{}, err
	}
	return got, nil
}

func decodePagination(decoder *json.Decoder) (total int, next bool, err error) {
	var pagination struct {
		Total int `json:"total_results"`
		Next  *struct {
			Href string `json:"href"`
		} `json:"next"`
	}
	err = decoder.Decode(&pagination)
	return pagination.Total, pagination.Next != nil && pagination.Next.Href != "", err
}

func decodeElements[L, T any](decoder *json.Decoder, ours func(L) T) (elements []T, err error) {
	err = inside(decoder, '[', func() error {
		var element L
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		elements = append(elements, ours(element))
		return nil
	})
	return elements, err
}

// inside calls each for every element of the array, or every key of the object, that comes next.
func inside(decoder *json.Decoder, opening json.Delim, each func() error) error {
	if token, err := decoder.Token(); err != nil || token != opening {
		return errors.Join(errForeignAnswer, err)
	}
	for decoder.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

// atEnd reads what is left, which is nothing, so that the connection can be used again.
func atEnd(decoder *json.Decoder) error {
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.Join(errForeignAnswer, err)
	}
	return nil
}

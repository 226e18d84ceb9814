package web_test

import (
	"testing"

	"latchkey/server/web"
)

func TestIDTakesOnlyPlainPositiveNumbers(t *testing.T) {
	for query, want := range map[string]int64{
		"id=1": 1, "id=10": 10, "x=2&id=3&page=x": 3, "%69d=4": 4, "id=%35": 5,
		"id=9223372036854775807": 1<<63 - 1, "ID=6&id=7": 7, "id=8&%zz=1": 8,
	} {
		if got, err := web.ID(withQuery(query), "id"); err != nil || got != want {
			t.Errorf("ID(%q) = %d, %v; want %d", query, got, err, want)
		}
	}
	const bad = `query parameter "id" must be a positive whole number`
	for query, text := range map[string]string{
		"id=": bad, "id": bad, "id=0": bad, "id=01": bad, "id=-1": bad, "id=%2B1": bad, "id=+1": bad,
		"id=1+": bad, "id=1%20": bad, "id=1.0": bad, "id=1e3": bad, "id=0x1": bad, "id=1,2": bad, "id=[1]": bad, "id=1;2": bad,
		"id=9223372036854775808": bad, "id=18446744073709551617": bad, "id=99999999999999999999": bad,
		"id=1%00": bad, "id=١": bad, "id=null": bad, "id=1_0": bad,
		"id=1&id=2": `parameter "id" is given twice`, "id=1&id=1": `parameter "id" is given twice`,
		"id=1&%69d=1": `parameter "id" is given twice`, "id&id=1": `parameter "id" is given twice`,
		"id=%": `parameter "id" is malformed`, "id=%zz": `parameter "id" is malformed`,
	} {
		for name, read := range map[string]func() error{
			"ID":         func() error { _, err := web.ID(withQuery(query), "id"); return err },
			"OptionalID": func() error { _, err := web.OptionalID(withQuery(query), "id"); return err },
		} {
			t.Run(name+" "+query, func(t *testing.T) { wantFault(t, read(), web.ErrParameter, text) })
		}
	}
	for _, query := range []string{"", "ID=1", "idx=1", "id[]=1", "x&y"} {
		_, err := web.ID(withQuery(query), "id")
		wantFault(t, err, web.ErrParameter, bad)
		if got, err := web.OptionalID(withQuery(query), "id"); got != 0 || err != nil {
			t.Errorf("OptionalID(%q) = %d, %v; want 0", query, got, err)
		}
	}
}

func TestPagingIsClamped(t *testing.T) {
	for query, want := range map[string][2]int{
		"":                                {1, 0},
		"page=":                           {1, 0},
		"page=3&per_page=30":              {3, 30},
		"page=0&per_page=0":               {1, 0},
		"page=-5&per_page=-1":             {1, 0},
		"per_page=1000":                   {1, 1000},
		"per_page=1001":                   {1, 1000},
		"page=99999999999999999999":       {1_000_000, 0},
		"page=-99999999999999999999":      {1, 0},
		"per_page=9223372036854775808":    {1, 1000},
		"page=007&per_page=010&x=1&x=2":   {7, 10},
		"per_page=-9223372036854775809":   {1, 0},
		"Page=5":                          {1, 0},
		"page=9223372036854775807&other=": {1_000_000, 0},
	} {
		page, perPage, err := web.Paging(withQuery(query))
		if err != nil || page != want[0] || perPage != want[1] {
			t.Errorf("Paging(%q) = %d, %d, %v; want %v", query, page, perPage, err, want)
		}
	}
	for query, text := range map[string]string{
		"page=x":                  `query parameter "page" must be a whole number`,
		"page=1.5":                `query parameter "page" must be a whole number`,
		"page=%2B1":               `query parameter "page" must be a whole number`,
		"page=-":                  `query parameter "page" must be a whole number`,
		"page=--1":                `query parameter "page" must be a whole number`,
		"page=1%20":               `query parameter "page" must be a whole number`,
		"per_page=all":            `query parameter "per_page" must be a whole number`,
		"per_page=1e3":            `query parameter "per_page" must be a whole number`,
		"page=1&page=2":           `parameter "page" is given twice`,
		"per_page=1&per%5Fpage=1": `parameter "per_page" is given twice`,
		"per_page=%":              `parameter "per_page" is malformed`,
	} {
		t.Run(query, func(t *testing.T) {
			_, _, err := web.Paging(withQuery(query))
			wantFault(t, err, web.ErrParameter, text)
		})
	}
}

func TestTextIsTakenAsItIs(t *testing.T) {
	for query, want := range map[string]string{
		"": "", "x=1": "", "key=": "", "key": "", "key=a": "a", "key=a+b%20c": "a b c", "%6bey=a": "a", "KEY=a": "",
		"key=%E7%8E%8B": "王", "key=a%26key%3Db": "a&key=b", "key=%25": "%", "key=1,2": "1,2", "key=%F0%9F%98%80": "😀",
	} {
		if got, err := web.Text(withQuery(query), "key"); err != nil || got != want {
			t.Errorf("Text(%q) = %q, %v; want %q", query, got, err, want)
		}
	}
	const control = `parameter "key" must not contain control characters or broken text`
	for query, text := range map[string]string{
		"key=a&key=a": `parameter "key" is given twice`, "key&%6bey": `parameter "key" is given twice`,
		"key=%": `parameter "key" is malformed`, "key=%zz": `parameter "key" is malformed`,
		"key=a%00": control, "key=%0a": control, "key=%7f": control, "key=%C2%85": control, "key=%ff": control, "key=%ED%A0%80": control,
	} {
		t.Run(query, func(t *testing.T) {
			_, err := web.Text(withQuery(query), "key")
			wantFault(t, err, web.ErrParameter, text)
		})
	}
}

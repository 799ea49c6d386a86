"""Clicks through the page of a report in a real browser: check_page.py PAGE.html [CHROMIUM]

Wants the packages of `playwright` and a Chromium (its own, or the one named). Ends with 1 and says what failed.
"""

import os
import sys
import time

from playwright.sync_api import sync_playwright

page_file = os.path.abspath(sys.argv[1])
chromium = sys.argv[2] if len(sys.argv) > 2 else None
failed = []


def check(holds, what):
    print(("ok    " if holds else "FAILED"), what, flush=True)
    if not holds:
        failed.append(what)


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for width, scheme in [(1280, "light"), (1280, "dark"), (390, "light")]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        begun = time.time()
        page.goto(f"file://{page_file}")
        page.wait_for_selector("#viewer:not([hidden])")
        seconds = time.time() - begun
        size = os.path.getsize(page_file)
        print(f"---   {width} pixels, {scheme}: {size / 1e6:.1f} MB open in {seconds:.2f} s")
        check(seconds < 2 and size < 20e6, "opens in less than 2 s and 20 MB")
        outside = [url for url in asked if not url.startswith(("file:", "data:"))]
        check(not outside, f"asks no network: {outside[:3]}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(wide <= 0, f"does not scroll sideways: {wide} pixels too wide")

        switch = page.locator(".switch input")
        if switch.count() > 1:
            shown = lambda: page.locator("#results .dec:not([hidden])").get_attribute("data-dec")
            before = shown()
            switch.nth(1).check()
            check(shown() != before, "the other decoding is shown")
            switch.nth(0).check()
            check(shown() == before, "and the first again")

        table = page.locator("#results .dec:not([hidden]) table.results, #results table.results").first
        button = table.locator("thead th button.sort").nth(1)
        values = lambda: [
            float(v) for v in table.locator("tbody").first.locator("tr:not(.seed):not(.divider)").evaluate_all(
                "rows => rows.map(row => row.cells[1].dataset.v).filter(v => v !== undefined)")
        ]  # fmt: skip
        first = values()
        button.click()
        check(values() == sorted(first, reverse=True), "a click on a column sorts it")
        button.focus()
        page.keyboard.press("Enter")
        check(values() == sorted(first), "Enter turns the order")
        button.click()
        check(values() == first, "and a third one restores it")

        count = lambda: page.locator("#v-count").inner_text()
        episodes = page.locator("#v-list article.episode")
        check(episodes.count() > 0, f"episodes are shown: {count()}")
        drawn = page.locator("#v-list img").count()
        check(0 < drawn <= 4 * 12, f"only the pictures that are seen are made: {drawn}")
        if page.locator("#v-next").is_enabled():
            before = count()
            page.locator("#v-next").click()
            check(count() != before, f"next: {count()}")
        found = 0
        for outcome in ["fixed", "broken", "wrong", "right"]:
            page.select_option("#v-filter", outcome)
            badges = page.locator("#v-list article h3").evaluate_all(
                "heads => heads.map(head => head.querySelector('.badge').textContent)")  # fmt: skip
            words = {"fixed": "fixed", "broken": "broken", "wrong": "wrong", "right": "right from the start"}
            check(all(badge == words[outcome] for badge in badges), f"filter {outcome}: {len(badges)} shown")
            found += len(badges)
        check(found > 0, "the filters show something")
        page.select_option("#v-filter", "all")
        page.locator("#v-list button.open").first.click()
        check(page.locator("dialog[open] img").count() == 1, "a picture opens at its own size")
        page.keyboard.press("Escape")
        check(page.locator("dialog[open]").count() == 0, "Escape closes it")

        page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
        check(any(name.startswith("A.") for name in reached) and "BUTTON.sort" in reached, "the keyboard reaches links and columns")
        check(not errors, f"no errors in the console: {errors[:3]}")
        context.close()
    browser.close()
sys.exit(bool(failed))
